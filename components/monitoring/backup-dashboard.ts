import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { grafanaDashboard } from "../../plan/config/grafana-dashboard.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import type { Topology } from "../topology.ts";
import { namespaceIn, placeProblems } from "./place.ts";

export interface BackupDashboardArgs {
  readonly plan: Plan;
  /** By the plan's name; one in each region: the primary's Grafana dies with it. */
  readonly region: string;
  readonly topology: Topology;
}

/** A Grafana dashboard in a config map that Grafana's sidecar finds by its label. */
export class BackupDashboard extends Component {
  /** The config map's name. */
  readonly configMap = "dr-backup-dashboard";

  constructor(name: string, args: BackupDashboardArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupDashboard ${name}`, placeProblems(args));
    super("monitoring", "BackupDashboard", name, { region: args.region }, options);
    const namespace = namespaceIn(args);
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard`,
      { metadata: { name: this.configMap, namespace, labels: labelsOf("dr", "dashboard", { grafana_dashboard: "1" }) }, data: { [`${args.plan.name}-backups.json`]: grafanaDashboard(args.plan) } },
      { parent: this },
    );
    this.registerOutputs({ region: args.region, namespace, configMap: this.configMap });
  }
}

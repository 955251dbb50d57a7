import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";
import type { Topology } from "../topology.ts";

export interface BackupDashboardArgs {
  readonly plan: Plan;
  /** By the plan's name. */
  readonly region: string;
  readonly topology: Topology;
}

/** A Grafana dashboard in a config map that Grafana's sidecar finds by its label. */
export class BackupDashboard extends Component {
  constructor(name: string, args: BackupDashboardArgs, options?: pulumi.ComponentResourceOptions) {
    super("monitoring", "BackupDashboard", name, args, options);
    this.registerOutputs({});
  }
}

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { prometheusRules } from "../../plan/config/prometheus-rules.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import type { Topology } from "../topology.ts";
import { alertLabels, namespaceIn, placeProblems, prometheusApi } from "./place.ts";

export interface BackupAlertsArgs {
  readonly plan: Plan;
  /** By the plan's name; declare the alerts in each region that has servers: the primary's die with it. */
  readonly region: string;
  readonly topology: Topology;
  /** Where the runbook is served, without a slash at its end; each alert links to its own section of it. It must be
   * readable while the region is gone. */
  readonly runbookUrl: string;
  /** What the region's Prometheus selects rules by. Default: none, for one that takes every rule of the namespace. */
  readonly ruleLabels?: Readonly<Record<string, string>>;
}

/** The alert rules that follow from the plan, for the Prometheus of one region. */
export class BackupAlerts extends Component {
  /** Every alert's name, once. */
  readonly alerts: readonly string[];

  constructor(name: string, args: BackupAlertsArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupAlerts ${name}`, [...placeProblems(args), urlProblem(args.runbookUrl)]);
    super("monitoring", "BackupAlerts", name, { region: args.region, runbookUrl: args.runbookUrl }, options);
    const groups = prometheusRules({ plan: args.plan, runbookUrl: args.runbookUrl, labels: alertLabels(args) });
    new k8s.apiextensions.CustomResource(
      `${name}-rules`,
      {
        apiVersion: `${prometheusApi}/v1`,
        kind: "PrometheusRule",
        metadata: { name: "dr-backup-alerts", namespace: namespaceIn(args), labels: { ...labelsOf("dr", "alerts"), ...args.ruleLabels } },
        spec: { groups },
      },
      { parent: this },
    );
    this.alerts = [...new Set(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)))];
    this.registerOutputs({ region: args.region, namespace: namespaceIn(args), alerts: this.alerts, rpo: args.plan.system.rpo });
  }
}

function urlProblem(url: string): string | undefined {
  const good = /^https:\/\/[^\s#]*[^\s#/]$/.test(url) && URL.canParse(url);
  return good ? undefined : `runbookUrl: ${JSON.stringify(url)} is no https address without a slash or a fragment at its end`;
}

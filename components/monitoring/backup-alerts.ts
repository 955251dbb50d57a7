import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";
import type { Topology } from "../topology.ts";

export interface BackupAlertsArgs {
  readonly plan: Plan;
  /** By the plan's name; declare the alerts in each region that has servers: the primary's die with it. */
  readonly region: string;
  readonly topology: Topology;
  /** Where the runbook is served, without a slash at its end; each alert links to its own section of it. */
  readonly runbookUrl: string;
  /** What the region's Prometheus selects rules by. Default: none, for one that takes every rule of the namespace. */
  readonly ruleLabels?: Readonly<Record<string, string>>;
}

/** The alert rules that follow from the plan, for the Prometheus of one region. */
export class BackupAlerts extends Component {
  constructor(name: string, args: BackupAlertsArgs, options?: pulumi.ComponentResourceOptions) {
    super("monitoring", "BackupAlerts", name, args, options);
    this.registerOutputs({});
  }
}

import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";
import type { Topology } from "../topology.ts";

export interface DeadMansSwitchArgs {
  readonly plan: Plan;
  /** By the plan's name: each region needs a switch of its own, and a webhook of its own. */
  readonly region: string;
  readonly topology: Topology;
  /**
   * A Kubernetes secret of the namespace, not made here, whose key holds the webhook's address of a service outside
   * this system that calls people when it hears nothing (Dead Man's Snitch, healthchecks.io, PagerDuty, …). The
   * address is a secret: whoever has it can keep the switch quiet.
   */
  readonly webhook: { readonly secret: string; readonly key: string };
  /** What the region's Alertmanager selects its configurations by. Default: none. */
  readonly configLabels?: Readonly<Record<string, string>>;
}

/** Sends the always-firing alert to a service outside, which calls people once it stays away: the only alarm that a
 * dead region can still give. */
export class DeadMansSwitch extends Component {
  constructor(name: string, args: DeadMansSwitchArgs, options?: pulumi.ComponentResourceOptions) {
    super("monitoring", "DeadMansSwitch", name, args, options);
    this.registerOutputs({});
  }
}

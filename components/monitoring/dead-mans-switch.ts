import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { watchdog } from "../../plan/config/prometheus-rules.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import type { Topology } from "../topology.ts";
import { alertLabels, namespaceIn, placeProblems, prometheusApi } from "./place.ts";

export interface DeadMansSwitchArgs {
  readonly plan: Plan;
  /** By the plan's name: each region needs a switch of its own, and a webhook of its own. */
  readonly region: string;
  readonly topology: Topology;
  /**
   * A Kubernetes secret of the namespace, not made here, whose key holds the webhook's address of a service outside
   * this system that calls people when it has heard nothing for 5 minutes (Dead Man's Snitch, healthchecks.io,
   * PagerDuty, …: up to some 20 USD a month). The address is a secret: whoever has it can keep the switch quiet.
   */
  readonly webhook: { readonly secret: string; readonly key: string };
  /** What the region's Alertmanager selects its configurations by. Default: none. */
  readonly configLabels?: Readonly<Record<string, string>>;
}

/** How often the service outside hears that all is alive. */
const heartbeat = "1m";
const receiver = "dead-mans-switch";

/** Sends the always-firing alert to a service outside, which calls people once it stays away: the only alarm that a
 * dead region can still give. */
export class DeadMansSwitch extends Component {
  constructor(name: string, args: DeadMansSwitchArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`DeadMansSwitch ${name}`, [
      ...placeProblems(args),
      !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(args.webhook.secret) && "webhook.secret: is no name of a Kubernetes secret; the address itself, which is a secret, must not stand here",
      !/^[A-Za-z0-9._-]+$/.test(args.webhook.key) && `webhook.key: ${JSON.stringify(args.webhook.key)} is no key of a Kubernetes secret`,
    ]);
    super("monitoring", "DeadMansSwitch", name, { region: args.region }, options);
    const matchers = Object.entries({ alertname: watchdog, ...alertLabels(args) }).map(([label, value]) => ({ name: label, value, matchType: "=" }));
    new k8s.apiextensions.CustomResource(
      `${name}-config`,
      {
        apiVersion: `${prometheusApi}/v1alpha1`,
        kind: "AlertmanagerConfig",
        metadata: { name: "dr-dead-mans-switch", namespace: namespaceIn(args), labels: { ...labelsOf("dr", "dead-mans-switch"), ...args.configLabels } },
        spec: {
          // Sent again and again; a pause is the message.
          route: { receiver, matchers, groupBy: ["alertname"], groupWait: "0s", groupInterval: heartbeat, repeatInterval: heartbeat },
          receivers: [{ name: receiver, webhookConfigs: [{ urlSecret: { name: args.webhook.secret, key: args.webhook.key }, sendResolved: false }] }],
        },
      },
      { parent: this },
    );
    this.registerOutputs({ region: args.region, namespace: namespaceIn(args), alert: watchdog });
  }
}

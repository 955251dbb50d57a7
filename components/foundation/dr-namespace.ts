import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";

export interface DrNamespaceArgs {
  /** Its name in the cluster, e.g. `blackroad-dr`. */
  readonly namespace: string;
  /** `kept`: protected, as deleting a namespace deletes every claim on a volume in it. */
  readonly lifetime: Lifetime;
  /** The most that everything in it may ask for together, e.g. `{ "requests.cpu": "8" }`. Default: no limit. */
  readonly quota?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A namespace in which only restricted pods run and nothing talks unless a policy lets it. */
export class DrNamespace extends Component {
  /** Its name, known only once it is there: what is declared with it waits for it. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: DrNamespaceArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`DrNamespace ${name}`, []);
    super("foundation", "DrNamespace", name, args, options);
    const space = new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { name: args.namespace } }, dataOptions(this, args.lifetime));
    this.namespace = space.metadata.name;
    this.registerOutputs({ namespace: args.namespace });
  }
}

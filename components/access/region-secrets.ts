import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";

export interface RegionSecretsArgs {
  readonly plan: Plan;
  /** Whose replicas are read, by the plan's name: never another's, which may be gone. */
  readonly region: string;
  /** The names in the plan of the secrets that this region's servers and jobs mount. */
  readonly secrets: readonly string[];
  /** Where the Kubernetes secrets go. @default defaultNamespace(plan) */
  readonly namespace?: string;
  /** Of the region's cluster. */
  readonly provider: k8s.Provider;
}

/** A region's copies of the plan's secrets, as Kubernetes secrets that pods mount as files. */
export class RegionSecrets extends Component {
  /** The Kubernetes secrets by the plan's names; what mounts them depends on them. */
  declare readonly secrets: ReadonlyMap<string, k8s.core.v1.Secret>;
  /** The values, secret, by the plan's names: for what hashes a password into a configuration. */
  declare readonly values: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: RegionSecretsArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RegionSecrets ${name}`, ["not written yet"]);
    super("access", "RegionSecrets", name, args, options);
  }
}

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { ClusterChoice, WorkloadIdentity } from "./cluster-choice.ts";

export interface RegionClusterArgs {
  readonly plan: Plan;
  /** One of the plan's, e.g. `us-east-1`. */
  readonly region: string;
  readonly cluster: ClusterChoice;
  /** `kept`: network, control plane and keys are protected. */
  readonly lifetime: Lifetime;
}

/** The Kubernetes cluster of one region: found, or made from nothing. */
export class RegionCluster extends Component {
  readonly provider: k8s.Provider;
  /** `undefined`: an existing cluster of which none was named. */
  readonly oidc: WorkloadIdentity | undefined;
  /** `undefined`: an existing cluster; its network is somebody else's. */
  readonly vpcId: pulumi.Output<string> | undefined;
  readonly routeTableIds: readonly pulumi.Output<string>[];
  readonly cidr: string | undefined;
  /** For volumes of databases; `undefined`: the existing cluster's default. */
  readonly storageClass: string | undefined;

  constructor(name: string, args: RegionClusterArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RegionCluster ${name}`, []);
    super("foundation", "RegionCluster", name, args, options);
    this.provider = new k8s.Provider(`${name}-kubernetes`, {}, { parent: this });
    this.oidc = undefined;
    this.vpcId = undefined;
    this.routeTableIds = [];
    this.cidr = undefined;
    this.storageClass = undefined;
    this.registerOutputs({ region: args.region });
  }
}

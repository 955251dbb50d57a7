import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { regionOf } from "../../plan/find.ts";
import { clusterName } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { ClusterChoice, ExistingCluster, WorkloadIdentity } from "./cluster-choice.ts";
import { eksCluster } from "./eks/cluster.ts";
import { eksProblems } from "./eks/problems.ts";
import { KubeconfigError } from "./kubeconfig.ts";
import { readContext } from "./kubeconfig-file.ts";

export interface RegionClusterArgs {
  readonly plan: Plan;
  /** One of the plan's, e.g. `us-east-1`. */
  readonly region: string;
  readonly cluster: ClusterChoice;
  /** Of the cluster in AWS, and the prefix of all that belongs to it. Default: `PLAN-dr-REGION`, by which other regions
   * find its network; a drill's must be its own. */
  readonly clusterName?: string;
  /** `kept`: network, control plane and keys are protected. */
  readonly lifetime: Lifetime;
}

/** The Kubernetes cluster of one region: found, or made from nothing. */
export class RegionCluster extends Component {
  /** What is declared in the cluster takes this; it waits for nodes and add-ons. */
  readonly provider: k8s.Provider;
  /** `undefined`: an existing cluster of which none was named. */
  readonly oidc: WorkloadIdentity | undefined;
  /** `undefined`: an existing cluster; its network is somebody else's. */
  readonly vpcId: pulumi.Output<string> | undefined;
  /** Empty with an existing cluster. */
  readonly routeTableIds: readonly pulumi.Output<string>[];
  readonly cidr: string | undefined;
  /** For volumes of databases: encrypted SSDs. `undefined`: whatever the existing cluster has. */
  readonly storageClass: string | undefined;

  constructor(name: string, args: RegionClusterArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, region, cluster, lifetime } = args;
    const inCloud = args.clusterName ?? clusterName(plan, region);
    refuse(`RegionCluster ${name}`, [...generalProblems(args), ...(cluster.kind === "eks" ? eksProblems(cluster, region, inCloud) : existingProblems(cluster))]);
    super("foundation", "RegionCluster", name, args, options);
    const made = cluster.kind === "eks" ? eksCluster({ parent: this, name, cluster: inCloud, region, plan, eks: cluster, lifetime }) : this.found(name, cluster);
    this.provider = made.provider;
    this.oidc = made.oidc;
    this.vpcId = made.vpcId;
    this.routeTableIds = made.routeTableIds;
    this.cidr = cluster.kind === "eks" ? cluster.network.cidr : undefined;
    this.storageClass = made.storageClass;
    this.registerOutputs({ region, kind: cluster.kind, cidr: this.cidr, lifetime, vpcId: this.vpcId });
  }

  private found(name: string, { context, kubeconfig, oidc }: ExistingCluster) {
    const provider = new k8s.Provider(`${name}-kubernetes`, { context, ...(kubeconfig === undefined ? {} : { kubeconfig }), enableServerSideApply: true }, { parent: this });
    return { provider, oidc, vpcId: undefined, routeTableIds: [], storageClass: undefined };
  }
}

const generalProblems = ({ plan, region, cluster, clusterName: given, lifetime }: RegionClusterArgs): readonly (string | false)[] => [
  regionOf(plan, region) === undefined && `region: ${region} is no region of the plan (${plan.regions.map(({ name }) => name).join(", ")})`,
  cluster.kind === "eks" && lifetime === "ephemeral" && given === undefined && `clusterName: a drill's cluster needs a name of its own; ${clusterName(plan, region)} is production's`,
];

/** Read here, as the provider would only say at the first resource that it reaches nothing, or reach another cluster. */
function existingProblems({ context, kubeconfig }: ExistingCluster): readonly string[] {
  try {
    readContext(context, kubeconfig);
    return [];
  } catch (error) {
    if (error instanceof KubeconfigError) return [`cluster.context: ${error.message}`];
    throw error;
  }
}

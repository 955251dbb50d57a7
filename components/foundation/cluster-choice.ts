import type * as pulumi from "@pulumi/pulumi";
import type { Size } from "../../plan/units.ts";

/** Where the cluster issues identities from: what IAM roles of service accounts trust. */
export interface WorkloadIdentity {
  /** Of the OIDC provider in IAM. */
  readonly arn: pulumi.Input<string>;
  /** With `https://`. */
  readonly issuer: pulumi.Input<string>;
}

/** A cluster that somebody else runs. What it must have is in expected.ts. Costs nothing here. */
export interface ExistingCluster {
  readonly kind: "existing";
  /** Of the kubeconfig; a context that is not there is refused before anything is declared. */
  readonly context: string;
  /** Path of the kubeconfig. Default: `$KUBECONFIG`, else `~/.kube/config`, as kubectl. */
  readonly kubeconfig?: string;
  /** Its OIDC provider in IAM; without it no workload gets a role, and `BackupIdentity` cannot be declared. */
  readonly oidc?: WorkloadIdentity;
}

/** Nodes of one kind, so many in each zone: a volume never leaves its zone, so each zone needs nodes of its own. */
export interface NodeGroup {
  /** Of the group; at most 20 characters, as the zone is added to it. */
  readonly name: string;
  /** Tried in this order; more than one keeps the group alive when AWS is short of the first. */
  readonly instanceTypes: readonly string[];
  /** Nodes in each zone. `desired` counts when the group is made; an autoscaler moves it later. */
  readonly perZone: { readonly min: number; readonly desired: number; readonly max: number };
  /** Of each node, encrypted gp3; about 0.08 USD per GiB and month. Not where databases lie: those have volumes. */
  readonly disk: Size;
}

/** The private network of a region's cluster. */
export interface ClusterNetwork {
  /** A private IPv4 range, /16 to /20; no other region's may overlap it, or they cannot be peered. */
  readonly cidr: string;
  /** At least two, e.g. `us-east-1a`. */
  readonly zones: readonly string[];
  /** `each-zone`: a zone's loss takes no other zone's way out, about 33 USD a month and zone. `one`: for drills. Default: `each-zone`. */
  readonly nat?: "each-zone" | "one";
}

/** A cluster from nothing: network, control plane, nodes, workload identity, add-ons. About 73 USD a month for the
 * control plane, besides nodes and NAT. */
export interface EksCluster {
  readonly kind: "eks";
  /** Of Kubernetes, e.g. `1.34`. One minor version at a time; AWS never goes back. */
  readonly version: string;
  readonly network: ClusterNetwork;
  readonly nodes: readonly NodeGroup[];
  /** Who may reach the API server from outside the network, as CIDRs: the runners of `pulumi up` and the office. An
   * address range of everybody is refused. Empty: only from inside the network. */
  readonly apiAccess: readonly string[];
  /** ARNs of IAM roles that administer the cluster. The role that `pulumi up` runs as must be among them: nobody
   * else is let in, not even who created it. */
  readonly administrators: readonly string[];
  /** Alias of the key that encrypts Kubernetes' secrets, e.g. `alias/blackroad-backups`. Default: a key of the
   * cluster's own in its region, 1 USD a month; what is encrypted with it is never needed elsewhere. */
  readonly secretsKeyAlias?: string;
}

export type ClusterChoice = ExistingCluster | EksCluster;

import type { Plan } from "../../plan/types.ts";
import type { Lifetime } from "../component.ts";
import type { Peer } from "../kubernetes/network.ts";
import type { IssuerRef, Topology } from "../topology.ts";

/** What every store that runs as servers of its own is told. */
export interface StoreArgs {
  /** Regions, objectives and the store's settings come from here. */
  readonly plan: Plan;
  /** Where the servers of every region are, and how the regions reach each other. */
  readonly topology: Topology;
  /** The region that this declares servers in; `role` says which of the plan's regions it can be. */
  readonly region: string;
  /** `REGISTRY/NAME@sha256:DIGEST`, with the server and a POSIX shell in it. */
  readonly image: string;
  /** The server's version as it says it itself, e.g. `7.0.15`: settings go by it, so it must be the image's. */
  readonly version: string;
  /** Who signs the servers' certificates; the same authority in every region. */
  readonly issuer: IssuerRef;
  /** A volume for each server; a witness has none, and it is not looked at. */
  readonly storage: StorageArgs;
  /** `kept`: neither a mistake nor the loss of the program deletes the volumes. `ephemeral`: a drill's, gone with it. */
  readonly lifetime: Lifetime;
  /** Addresses that servers and clients of other regions come from, as CIDRs, where the exposure is `load-balancer`: no
   * policy of Kubernetes knows another cluster's pods. Default: the private ones; TLS and passwords stand before the
   * data besides. */
  readonly networks?: readonly string[];
  /** Who may use the store, besides its own servers. Default: every pod of its namespace. */
  readonly clients?: readonly Peer[];
  /** Of one server: what is reserved, and of memory the limit. Default: from the store's expected size in the plan. */
  readonly resources?: StoreResources;
}

export interface StorageArgs {
  /** A storage class that provisions encrypted SSD volumes, e.g. `gp3-encrypted`. */
  readonly className: string;
  /** Of one server's volume as Kubernetes writes sizes, e.g. `20Gi`; at least twice the store's data. About 0.08 USD a
   * GiB and month on gp3, for each server. It can grow later where the class allows it, never shrink. */
  readonly size: string;
}

/** As Kubernetes writes them, e.g. `500m` and `4Gi`. */
export interface StoreResources {
  readonly cpu: string;
  readonly memory: string;
}

/** What a recovered store's servers are called besides, and where: next to production's, or in a drill's namespace. */
export interface RestoredPlace {
  /** Default: the region's in the topology. A drill's is its own. */
  readonly namespace?: string;
}

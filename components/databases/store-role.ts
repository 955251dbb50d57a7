import type { Lifetime } from "../component.ts";
import type { Peer } from "../kubernetes/network.ts";
import type { IssuerRef, Topology } from "../topology.ts";
import type { Plan } from "../../plan/types.ts";

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
  /** A volume for each server. */
  readonly storage: StorageArgs;
  /** `kept`: neither a mistake nor the loss of the program deletes the volumes. `ephemeral`: a drill's, gone with it. */
  readonly lifetime: Lifetime;
  /** Addresses that the other regions' servers come from, as CIDRs. Needed where the exposure is `load-balancer`:
   * no policy of Kubernetes knows another cluster's pods by name. */
  readonly networks?: readonly string[];
  /** Who may use the store, besides its own servers. Default: every pod of its namespace. */
  readonly clients?: readonly Peer[];
}

export interface StorageArgs {
  /** A storage class that provisions encrypted SSD volumes, e.g. `gp3-encrypted`. */
  readonly className: string;
  /** As Kubernetes writes sizes, e.g. `20Gi`; at least twice the store's data. About 0.08 USD a GiB and month on
   * gp3, for each server. Volumes of a StatefulSet cannot be resized by it later. */
  readonly size: string;
}

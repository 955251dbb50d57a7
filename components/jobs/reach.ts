/** Where the jobs of a region find the stores and the object stores, and how a network policy lets them go there. */
import type { DrServers, Server } from "../../plan/config/dr-json.ts";
import type { BackendName } from "../../plan/types.ts";
import type { Peer } from "../kubernetes/network.ts";

/** A server of a store in the jobs' own region: its address, and its pods. */
export interface ReachableServer extends Server {
  /** What the pods behind the address are labelled with, in the namespace of the region's place. */
  readonly pods: Readonly<Record<string, string>>;
}

/**
 * The servers of the jobs' own region, never another region's: the same jobs run in every region, and each does its
 * work only where the server that it asks is the store's leader.
 */
export interface RegionServers extends DrServers {
  /** Answers with the region's leader where it has one, with a replica otherwise; and pgBackRest's TLS server beside it. */
  readonly postgres: ReachableServer & { readonly pgbackrest: ReachableServer };
  readonly redis: ReachableServer;
  /** Absent: no Vault runs in this region, and its jobs are not declared. */
  readonly vault?: ReachableServer;
  /** Absent: the operator runs no vector store here. */
  readonly vectors?: ReachableServer;
  readonly prometheus?: ReachableServer;
}

/** How a backend's object store is reached. */
export interface ObjectStore {
  /** Host, or `host:port`, TLS always: `ACCOUNT.r2.cloudflarestorage.com`, `s3.us-west-2.amazonaws.com`. */
  readonly endpoint: string;
  /** Default: every public address on port 443, as an object store's addresses change. A private endpoint's addresses
   * are safer: nothing else of the internet can then be reached with what was stolen from a job. */
  readonly peer?: Peer;
  /** The authority that signs the endpoint's certificate, as a config map with the key `ca.crt`. Default: the image's. */
  readonly authority?: { readonly configMap: string };
}

export type ObjectStores = Readonly<Partial<Record<BackendName, ObjectStore>>>;

import type { Allowance } from "../../kubernetes/network.ts";
import type { RestoredPlace, StoreArgs } from "../store-args.ts";

export type RedisReplicationRole =
  /** The server that starts as the primary, a replica on another node, and a Sentinel. Primary region. */
  | { readonly kind: "primary" }
  /** A replica and a Sentinel. Secondary region. */
  | { readonly kind: "standby" }
  /** A Sentinel alone, for the quorum. Third region. */
  | { readonly kind: "witness" }
  /** One server from a backup, that replicates from nobody and backs up nothing. Any region. */
  | RestoredRedis;

export interface RestoredRedis extends RestoredPlace {
  readonly kind: "restored";
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  readonly access: RecoveryAccess;
}

/** With what `dr recover` reads backups in the cluster. */
export interface RecoveryAccess {
  /** The ConfigMap whose key `dr.json` is the configuration of `dr`, with `readOnly` set. */
  readonly configMap: string;
  /** In which the configuration has its `workDirectory`; a volume of the pod. */
  readonly workDirectory: string;
  /** A service account that can read the backups and nothing else, e.g. `serviceAccountName("restore")`. */
  readonly serviceAccount: string;
  /** Secrets of the plan (see plan/secrets.ts) whose files the configuration names. */
  readonly secrets: readonly string[];
  /** Where the object stores are. Default: every public address, on 443. */
  readonly objectStores?: readonly Allowance[];
}

export interface RedisReplicationArgs extends StoreArgs {
  readonly role: RedisReplicationRole;
}

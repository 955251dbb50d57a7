import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component.ts";
import type { StoreArgs } from "./store-role.ts";

export type RedisRole =
  /** The server that starts as the primary, a replica on another node, and a Sentinel. Primary region. */
  | { readonly kind: "primary" }
  /** A replica and a Sentinel. Secondary region. */
  | { readonly kind: "standby" }
  /** A Sentinel alone, for the quorum. Third region. */
  | { readonly kind: "witness" }
  /** One server from a backup, that replicates from nobody and backs up nothing. Any region. */
  | {
      readonly kind: "restored";
      /** An id of the catalog, or `latest`. */
      readonly backup: string;
      readonly access: RecoveryAccess;
      /** Default: the region's in the topology. A drill's is its own. */
      readonly namespace?: string;
    };

/** With what `dr recover` reads backups in the cluster. */
export interface RecoveryAccess {
  /** The ConfigMap whose key `config.json` is the runner's configuration; `readOnly` must be set in it. */
  readonly configMap: string;
  /** A service account that can read the backups and nothing else. */
  readonly serviceAccount: string;
  /** Secrets of the plan (see plan/secrets.ts) that the configuration names the files of. */
  readonly secrets: readonly string[];
}

export interface RedisReplicationArgs extends StoreArgs {
  readonly role: RedisRole;
}

/** Redis over the regions: a primary, a near and a far replica, and one Sentinel in each of three regions. */
export class RedisReplication extends Component {
  /** Under which the Sentinels know the primary. */
  readonly masterName: string;
  /** `HOST:PORT` of every Sentinel, for clients: whoever is the primary, they know it. Empty where restored. */
  readonly sentinels: readonly string[];
  /** `HOST:PORT` of each server that is declared here. */
  readonly servers: readonly string[];

  constructor(name: string, args: RedisReplicationArgs, options?: pulumi.ComponentResourceOptions) {
    super("databases", "RedisReplication", name, args, options);
    this.masterName = args.plan.name;
    this.sentinels = [];
    this.servers = [];
    this.registerOutputs({ role: args.role.kind, region: args.region });
  }
}

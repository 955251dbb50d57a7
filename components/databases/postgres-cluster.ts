import type * as pulumi from "@pulumi/pulumi";
import { Component, refuse } from "../component.ts";
import type { PostgresClusterArgs } from "./postgres/args.ts";

export type { HealthExposure, PostgresClusterArgs, PostgresClusterRole, PostgresIdentity, PostgresStorage, PostgresVersions, RepositoryAccess } from "./postgres/args.ts";

/** Where a service of the database is reached, from inside the region's cluster. */
export interface ServiceAddress {
  /** Full name inside the cluster: `SERVICE.NAMESPACE.svc.cluster.local`. */
  readonly host: string;
  readonly port: number;
}

/** What others need to know of the database in this region; plain values that follow from the plan. */
export interface PostgresEndpoints {
  /** The leader, whichever region it is in. */
  readonly writer: ServiceAddress;
  /** A replica, this region's first. */
  readonly reader: ServiceAddress;
  /** This region's leader, or else a replica of it: what the jobs ask whether the leader is here. */
  readonly local: ServiceAddress;
  /** pgBackRest's TLS server beside this region's leader. */
  readonly pgbackrest: ServiceAddress;
  /** Kubernetes secret with `tls.crt`, `tls.key` and `ca.crt` of the jobs, for `local` and `pgbackrest`. */
  readonly clientSecret: string;
  /** HTTPS; `/health/writable` answers 200 only where this region's server is the writable leader. */
  readonly health: ServiceAddress & { readonly path: string };
}

/** One Patroni cluster over the regions: this region's part of it. */
export class PostgresCluster extends Component {
  /** `undefined` where the role is `witness`. */
  readonly endpoints: PostgresEndpoints | undefined;

  constructor(name: string, args: PostgresClusterArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PostgresCluster ${name}`, []);
    super("databases", "PostgresCluster", name, args, options);
    this.endpoints = undefined;
    this.registerOutputs({});
  }
}

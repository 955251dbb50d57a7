import type * as pulumi from "@pulumi/pulumi";
import { healthPath } from "../../plan/config/haproxy.ts";
import { Component, refuse } from "../component.ts";
import type { PostgresClusterArgs } from "./postgres/args.ts";
import { certificateSecret } from "./postgres/certificates.ts";
import { clusterContext, type ClusterContext } from "./postgres/context.ts";
import { databaseServers, jobsCertificate } from "./postgres/database.ts";
import { etcdServer } from "./postgres/etcd.ts";
import { clusterProblems } from "./postgres/problems.ts";
import { proxyServers, proxyServices, type ProxyService } from "./postgres/proxy.ts";
import { clientHost } from "./servers/services.ts";
import { objectiveOf } from "./servers/size.ts";

export type { HealthExposure, PostgresClusterArgs, PostgresClusterRole, PostgresIdentity, PostgresStorage, PostgresVersions, RepositoryAccess, RestoredPostgres } from "./postgres/args.ts";

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
  /** HTTPS; the path answers 200 only where this region's server is the writable leader. */
  readonly health: ServiceAddress & { readonly path: string };
}

/**
 * One Patroni cluster over the regions: this region's part of it. With etcd in three regions, the loss of any one
 * leaves a majority; where it was the leader's, its lease expires (that is the fence), and the other region promotes
 * itself without a person. Every `up` declares its own region alone and waits for none.
 */
export class PostgresCluster extends Component {
  /** `undefined` where the role is `witness`. */
  readonly endpoints: PostgresEndpoints | undefined;

  constructor(name: string, args: PostgresClusterArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PostgresCluster ${name}`, clusterProblems(args));
    super("databases", "PostgresCluster", name, args, options);
    const { lifetime, plan, region, role } = args;
    const context = clusterContext(this, name, args);
    etcdServer(context);
    if (role.kind !== "witness") {
      databaseServers(context);
      proxyServers(context);
    }
    this.endpoints = role.kind === "witness" ? undefined : endpointsOf(context);
    this.registerOutputs({
      role: role.kind, region, lifetime,
      copies: context.here.length,
      quorum: Math.floor(context.arbiters.length / 2) + 1,
      rpo: objectiveOf(plan, "postgres"),
      repositories: context.repositories.map(({ backend }) => backend.name),
      archiving: role.kind === "primary" || role.kind === "standby",
      endpoints: this.endpoints,
    });
  }
}

function endpointsOf(context: ClusterContext): PostgresEndpoints {
  const address = ({ name, port }: ProxyService): ServiceAddress => ({ host: clientHost(name, context.proxy.place), port });
  const { health, local, pgbackrest, reader, writer } = proxyServices(context);
  return {
    writer: address(writer),
    reader: address(reader),
    local: address(local),
    pgbackrest: address(pgbackrest),
    clientSecret: certificateSecret(context.database, jobsCertificate),
    health: { ...address(health), path: healthPath },
  };
}

import type { EtcdMember } from "../../../plan/config/etcd.ts";
import { authorityFile, type PlacedMember, type RepositoryPlace } from "../../../plan/config/postgres-files.ts";
import { parseVersion, type ToolVersion } from "../../../plan/config/version.ts";
import { writtenBackends } from "../../../plan/identity-needs.ts";
import { etcdName, postgresName, postgresProxyName, type Standing } from "../../../plan/servers.ts";
import type * as pulumi from "@pulumi/pulumi";
import { serverSet, type ServerSet } from "../servers/context.ts";
import { placeHere, standingOf, topologyFor } from "../servers/regions.ts";
import { debian13, type PostgresClusterArgs, type PostgresVersions } from "./args.ts";
import { arbiterIn, arbiterServer, productionArbiters, productionMembers, restoredMembers } from "./members.ts";

/** What every part of a region's cluster is made from. */
export interface ClusterContext {
  readonly args: PostgresClusterArgs;
  readonly standing: Standing;
  /** Patroni's name of the cluster, and etcd's token. */
  readonly scope: string;
  readonly versions: Readonly<Record<keyof PostgresVersions, ToolVersion>>;
  /** Of every region that takes part. */
  readonly members: readonly PlacedMember[];
  readonly arbiters: readonly EtcdMember[];
  /** This region's. */
  readonly here: readonly PlacedMember[];
  readonly arbiter: EtcdMember;
  readonly repositories: readonly RepositoryPlace[];
  readonly etcd: ServerSet;
  readonly database: ServerSet;
  readonly proxy: ServerSet;
}

export const kubernetesApplication = "postgres";

export function clusterContext(parent: pulumi.Resource, name: string, args: PostgresClusterArgs): ClusterContext {
  const { lifetime, plan, region, role } = args;
  const place = placeHere(args.topology, region, role);
  const topology = topologyFor(args.topology, role);
  const standing = standingOf(role);
  const members = standing === "restored" ? restoredMembers(place) : productionMembers(plan, topology);
  const here = members.filter((member) => member.region === region);
  const set = (part: string, base: string, names: readonly string[]) => serverSet({ parent, prefix: `${name}-${part}`, base, names, place, topology, lifetime, region, application: kubernetesApplication });
  return {
    args, standing, members, here,
    scope: standing === "restored" ? `${plan.name}-restored-${place.namespace}` : plan.name,
    versions: versionsOf(args.versions ?? debian13),
    arbiters: standing === "restored" ? [arbiterIn(standing)(place)] : productionArbiters(plan, topology),
    arbiter: arbiterIn(standing)(place),
    repositories: repositoriesOf(args),
    etcd: set("etcd", etcdName(standing), [arbiterServer(standing)]),
    database: set("database", postgresName(standing), here.map(({ server }) => server)),
    proxy: set("proxy", postgresProxyName(standing), []),
  };
}

function versionsOf(texts: PostgresVersions): ClusterContext["versions"] {
  const version = (tool: keyof PostgresVersions): ToolVersion => {
    const parsed = parseVersion(texts[tool]);
    if (parsed === undefined) throw new RangeError(`${tool} has no version: ${texts[tool]}`);
    return parsed;
  };
  return { postgres: version("postgres"), patroni: version("patroni"), pgbackrest: version("pgbackrest"), etcd: version("etcd"), haproxy: version("haproxy") };
}

/** Numbered by the plan, as the jobs' configurations are: `repo1` must be the same one in all of them. */
function repositoriesOf({ plan, repositories = [] }: PostgresClusterArgs): readonly RepositoryPlace[] {
  return writtenBackends(plan).flatMap((backend, position) =>
    repositories.filter((one) => one.backend === backend.name).map((one): RepositoryPlace => ({ backend, index: position + 1, endpoint: one.endpoint, credentials: one.credentials, caFile: one.authority === undefined ? undefined : authorityFile(backend.name) })),
  );
}

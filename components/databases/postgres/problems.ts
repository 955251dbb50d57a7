import { atLeast, formatVersion, parseVersion } from "../../../plan/config/version.ts";
import { writtenBackends } from "../../../plan/identity-needs.ts";
import { secretsOf } from "../../../plan/secrets.ts";
import type { Plan } from "../../../plan/types.ts";
import { storageProblems, storeProblems } from "../servers/problems.ts";
import { debian13, type PostgresClusterArgs, type PostgresVersions, type RepositoryAccess, type RestoredPostgres } from "./args.ts";

/** The first versions that have what the cluster rests on. */
const least: Readonly<Record<keyof PostgresVersions, { readonly major: number; readonly minor: number; readonly why: string }>> = {
  postgres: { major: 13, minor: 0, why: "max_slot_wal_keep_size" },
  patroni: { major: 3, minor: 2, why: "failover_priority, by which the database stays in its region where it can" },
  pgbackrest: { major: 2, minor: 37, why: "the TLS server" },
  etcd: { major: 3, minor: 5, why: "a client's certificate of its own for peers, without which they compare addresses that no load balancer keeps" },
  haproxy: { major: 2, minor: 4, why: "http-request return and http-check send" },
};
const tools: readonly (keyof PostgresVersions)[] = ["postgres", "patroni", "pgbackrest", "etcd", "haproxy"];

const backupName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const withZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const hostName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/** Everything that is wrong with a cluster's arguments. */
export function clusterProblems(args: PostgresClusterArgs): readonly string[] {
  const { health, identity, plan, repositories = [], role, storage, versions = debian13 } = args;
  const common = [...storeProblems("postgres", { ...args, version: versions.postgres }), ...storageProblems(storage), ...versionProblems(plan, versions)];
  if (role.kind === "witness") return [...common, ...(repositories.length > 0 ? ["repositories: a witness has no database to archive; leave them out"] : []), ...(identity === undefined ? [] : ["identity: a witness speaks to no cloud; leave it out"])];
  return [
    ...common,
    ...(identity === undefined ? ["identity: the pods need a service account"] : identity.serviceAccount === "" ? ["identity.serviceAccount: it is empty"] : []),
    ...repositories.flatMap((repository) => repositoryProblems(args, repository)),
    ...(role.kind === "restored" ? restoredProblems(plan, role, repositories) : completeness(plan, repositories)),
    ...(health?.kind === "ingress" && !hostName.test(health.host) ? [`health.host: ${JSON.stringify(health.host)} is no name of a host`] : []),
    ...(health?.kind === "ingress" && health.className === "" ? ["health.className: it is empty; no controller would serve it"] : []),
  ];
}

function versionProblems(plan: Plan, versions: PostgresVersions): readonly string[] {
  const old = tools.flatMap((tool) => {
    const version = parseVersion(versions[tool]);
    const { major, minor, why } = least[tool];
    if (version === undefined) return [`versions.${tool}: ${JSON.stringify(versions[tool])} is no version, as ${formatVersion(least[tool])} is`];
    return atLeast(version, major, minor) ? [] : [`versions.${tool}: ${versions[tool]} is older than ${formatVersion(least[tool])}, the first with ${why}`];
  });
  const postgres = parseVersion(versions.postgres);
  if (postgres === undefined || postgres.major >= plan.postgres.version) return old;
  return [...old, `versions.postgres: the plan asks for ${plan.postgres.version} or newer, and this is ${versions.postgres}`];
}

/** Every backup is written to every backend that the plan names (B4), and so is the WAL. */
function completeness(plan: Plan, repositories: readonly RepositoryAccess[]): readonly string[] {
  return writtenBackends(plan).flatMap(({ name }) => {
    const found = repositories.filter(({ backend }) => backend === name).length;
    return found === 1 ? [] : [`repositories: ${found === 0 ? `the plan's backend ${name} is missing; its copy of the WAL would not exist` : `${name} is named ${found} times`}`];
  });
}

function repositoryProblems({ identity, plan }: PostgresClusterArgs, { backend, credentials, endpoint }: RepositoryAccess): readonly string[] {
  const where = `repositories: ${backend}`;
  return [
    ...(writtenBackends(plan).some(({ name }) => name === backend) ? [] : [`${where} holds no repository of pgBackRest in this plan`]),
    ...(/^[^\s/:]+(?::\d{1,5})?$/.test(endpoint) ? [] : [`${where}: ${JSON.stringify(endpoint)} is no endpoint; write HOST or HOST:PORT, it is always reached by TLS`]),
    ...(credentials.kind === "web-identity" && identity?.roleArn === undefined ? [`${where} is reached by web identity, and identity.roleArn is missing`] : []),
    ...(credentials.kind === "secret-file" && !secretsOf(plan).some(({ kind, name }) => name === credentials.secret && kind === "credentials") ? [`${where}: the plan has no credentials called ${JSON.stringify(credentials.secret)}`] : []),
  ];
}

function restoredProblems(plan: Plan, { from, repository, targetTime }: RestoredPostgres, repositories: readonly RepositoryAccess[]): readonly string[] {
  return [
    ...(backupName.test(from) ? [] : [`role.from: ${JSON.stringify(from)} is neither an id of the catalog, nor a label of pgBackRest, nor latest`]),
    ...(targetTime === undefined || (withZone.test(targetTime) && !Number.isNaN(Date.parse(targetTime))) ? [] : [`role.targetTime: ${JSON.stringify(targetTime)} is no time with a zone, as 2026-11-22T21:18:00Z is`]),
    ...(writtenBackends(plan).some(({ name }) => name === repository) ? [] : [`role.repository: ${repository} holds no repository of pgBackRest in this plan`]),
    ...(repositories.length === 1 && repositories[0]?.backend === repository ? [] : [`repositories: a restored database reads ${repository} and is told of nothing else; it has ${repositories.map(({ backend }) => backend).join(", ") || "none"}`]),
  ];
}

/** Every secret of the system by its name, who makes it and what it opens. No value ever stands in a plan. */
import { redisRoles } from "./config/redis.ts";
import type { Plan } from "./types.ts";

export interface SecretSpec {
  /** In Secrets Manager behind the plan's name, and of the file that it is mounted as. */
  readonly name: string;
  /** `passphrase`: what is lost with it is every backup, so it is in escrow. `password`: can be set anew.
   * `credentials`: made by a provider, in AWS's shared credentials format. */
  readonly kind: "passphrase" | "password" | "credentials";
  readonly opens: string;
}

/** pgBackRest's passphrase of one backend's repository. */
export const repositorySecret = (backend: string): string => `pgbackrest-${backend}`;
/** The passphrase of everything outside pgBackRest. */
export const runnerSecret = "runner";
export const redisSecret = (role: string): string => `redis-${role}`;
export const sentinelSecret = "sentinel";
/** Of the vector store: everything, or reading. */
export const vectorsSecret = (access: "full" | "read-only"): string => (access === "full" ? "qdrant" : "qdrant-read-only");
/** R2 has no roles for workloads: a token for the jobs that write, and one that can only read. */
export const r2Secret = (access: "writer" | "reader"): string => `r2-${access}`;

export const postgresRoles = ["superuser", "replication", "rewind", "backup", "recovery", "monitoring", "heartbeat", "app"] as const;
export type PostgresRole = (typeof postgresRoles)[number];
export const postgresSecret = (role: PostgresRole): string => `postgres-${role}`;
/** The role's name in PostgreSQL, e.g. `blackroad_backup`; the superuser keeps the one that tools expect. */
export const postgresUser = (plan: Plan, role: PostgresRole): string => (role === "superuser" ? "postgres" : `${plan.name}_${role}`);
/** The services' database, which the agents' tables are in. */
export const servicesDatabase = (plan: Plan): string => plan.name;

export const patroniRestSecret = "patroni-rest";

export function secretsOf(plan: Plan): readonly SecretSpec[] {
  const repositories = plan.backends.filter(({ kind }) => kind === "r2" || kind === "s3");
  return [
    ...repositories.map(({ name }): SecretSpec => ({ name: repositorySecret(name), kind: "passphrase", opens: `pgBackRest's repository in ${name}` })),
    { name: runnerSecret, kind: "passphrase", opens: "every backup outside pgBackRest, in every backend" },
    ...postgresRoles.map((role): SecretSpec => ({ name: postgresSecret(role), kind: "password", opens: `PostgreSQL as ${role}` })),
    { name: patroniRestSecret, kind: "password", opens: "the calls of Patroni's REST interface that change something" },
    ...redisRoles.map((role): SecretSpec => ({ name: redisSecret(role), kind: "password", opens: `Redis as ${role}` })),
    { name: sentinelSecret, kind: "password", opens: "the Sentinels" },
    { name: vectorsSecret("full"), kind: "password", opens: "the vector store" },
    { name: vectorsSecret("read-only"), kind: "password", opens: "the vector store, for reading" },
    ...repositories.filter(({ kind }) => kind === "r2").flatMap(() => (["writer", "reader"] as const).map((access): SecretSpec => ({ name: r2Secret(access), kind: "credentials", opens: `R2 as ${access}` }))),
  ];
}

/**
 * Where Secrets Manager has the original of every secret, outside the primary region, and where a replica.
 * @throws RangeError where the plan has no secondary region
 */
export function secretRegions(plan: Plan): { readonly home: string; readonly replicas: readonly string[] } {
  const home = plan.regions.find(({ role }) => role === "secondary")?.name;
  if (home === undefined) throw new RangeError(`the plan ${plan.name} has no secondary region`);
  return { home, replicas: plan.regions.map(({ name }) => name).filter((name) => name !== home) };
}

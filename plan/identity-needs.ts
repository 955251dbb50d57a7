/** What each identity is given and nothing more: the servers that it may talk to, the secrets that it holds as files,
 * and the room that its work takes on a disk. */
import type { RedisRole } from "./config/redis.ts";
import { storeOf } from "./find.ts";
import { identities, type IdentityName } from "./identities.ts";
import { postgresSecret, r2Secret, redisSecret, repositorySecret, runnerSecret, vectorsSecret, type PostgresRole } from "./secrets.ts";
import type { Backend, Plan, StoreName } from "./types.ts";
import { bytes, gib, type Size } from "./units.ts";

/** Servers that a job talks to; object stores it talks to in any case. */
export type ServerName = "postgres" | "pgbackrest" | "redis" | "vault" | "vectors" | "prometheus" | "kubernetes";

interface Needs {
  readonly servers: readonly ServerName[];
  /** As whom it logs in. */
  readonly postgres?: PostgresRole;
  readonly redis?: RedisRole;
  /** Opens pgBackRest's repositories. */
  readonly repositories?: true;
  /** Opens, or seals, everything outside pgBackRest. */
  readonly passphrase?: true;
  readonly secrets?: readonly string[];
  /** Stores whose whole data lies on the job's disk for a while, one beside the other. */
  readonly spools?: readonly StoreName[];
}

/** Vault is logged in to with the service account's own token, so no secret of it is here. */
const needs: Readonly<Record<IdentityName, Needs>> = {
  all: { servers: ["postgres", "pgbackrest", "redis", "vault", "vectors", "prometheus"], postgres: "backup", redis: "backup", repositories: true, passphrase: true, secrets: [vectorsSecret("full")], spools: ["redis", "vectors"] },
  postgres: { servers: ["postgres", "pgbackrest"], postgres: "backup", repositories: true },
  redis: { servers: ["redis"], redis: "backup", passphrase: true },
  vault: { servers: ["vault"], passphrase: true, spools: ["vault"] },
  vectors: { servers: ["vectors"], passphrase: true, secrets: [vectorsSecret("full")], spools: ["vectors"] },
  objects: { servers: [] },
  agents: { servers: ["postgres", "redis"], postgres: "backup", redis: "backup", passphrase: true, spools: ["redis"] },
  logs: { servers: [], passphrase: true },
  metrics: { servers: ["prometheus"], passphrase: true },
  config: { servers: ["kubernetes"], passphrase: true, spools: ["configuration"] },
  archive: { servers: [], repositories: true, passphrase: true },
  // Restores into temporary servers of its own, one store after the other.
  verify: { servers: [], repositories: true, passphrase: true, spools: ["postgres"] },
  // It lists the repositories by pgBackRest, which asks for the passphrase even for that.
  exporter: { servers: ["postgres", "redis"], postgres: "monitoring", redis: "monitoring", repositories: true },
  // Into servers of its own, beside each other: the whole system.
  restore: { servers: [], repositories: true, passphrase: true, spools: ["postgres", "redis", "vault", "vectors"] },
};

/** Who opens snapshots of Vault, to see that they can be opened: with the key of its seal (facts F10). */
export const opensVault = (identity: IdentityName): boolean => identity === "verify" || identity === "restore";

export const serversOf = (identity: IdentityName): readonly ServerName[] => needs[identity].servers;
export const rolesOf = (identity: IdentityName): { readonly postgres: PostgresRole | undefined; readonly redis: RedisRole | undefined } => ({ postgres: needs[identity].postgres, redis: needs[identity].redis });

/** Backends that jobs write to; an archive is reached through its own commands. */
export const writtenBackends = (plan: Plan): readonly Backend[] => plan.backends.filter(({ kind }) => kind === "r2" || kind === "s3");

/** R2 knows no roles for workloads, so a token's file; S3 is reached with the pod's own role, and no file could be
 * stolen. A verification only reads: its records are kept where it may write them. */
export const r2AccessOf = (identity: IdentityName): "writer" | "reader" => (identities.find(({ name }) => name === identity)?.access === "writer" ? "writer" : "reader");

/** The secrets of the plan that an identity holds, by their names; each is a file (`secretFile`). */
export function secretsOfIdentity(plan: Plan, identity: IdentityName): readonly string[] {
  const { postgres, redis, repositories, passphrase, secrets = [] } = needs[identity];
  const backends = writtenBackends(plan);
  return [
    ...(repositories === true ? backends.map(({ name }) => repositorySecret(name)) : []),
    ...(passphrase === true ? [runnerSecret] : []),
    ...(postgres === undefined ? [] : [postgresSecret(postgres)]),
    ...(redis === undefined ? [] : [redisSecret(redis)]),
    ...secrets,
    ...(backends.some(({ kind }) => kind === "r2") ? [r2Secret(r2AccessOf(identity))] : []),
  ];
}

/** What is beside the data: logs, locks, pgBackRest's spool of WAL, a server's own files. */
const overhead = gib(2);
/** Of the data, for what it grows to until somebody corrects the plan. */
const growth = 1.5;

/** How much of a disk a job of this identity may fill. */
export function scratchOf(plan: Plan, identity: IdentityName): Size {
  const spooled = (needs[identity].spools ?? []).reduce((sum, name) => sum + (storeOf(plan, name)?.expectedSize ?? 0), 0);
  return bytes(Math.ceil(overhead + spooled * growth));
}

/** Names and ports of the servers of PostgreSQL, Redis, Vault and the vector store: every region knows the others' without asking. */
import type { Plan } from "./types.ts";

/** Whether a server is production's, or comes out of a backup: both kinds can stand in one namespace. */
export type Standing = "production" | "restored";
const named = (base: string, standing: Standing): string => (standing === "production" ? base : `${base}-restored`);

export const postgresName = (standing: Standing): string => named("pg", standing);
/** The arbiter of PostgreSQL's cluster. One member a region. */
export const etcdName = (standing: Standing): string => named("etcd", standing);
/** What clients of PostgreSQL speak to. */
export const postgresProxyName = (standing: Standing): string => named("postgres", standing);

export const redisName = (standing: Standing): string => named("redis", standing);
/** Under which the Sentinels know the primary, and clients ask for it. */
export const redisMaster = (plan: Plan): string => plan.name;
/** One a region. */
export const sentinelName = "redis-sentinel";
export const vaultName = (standing: Standing): string => named("vault", standing);
export const vectorsName = (standing: Standing): string => named("qdrant", standing);

/** The Kubernetes secret with `tls.crt`, `tls.key` and `ca.crt` of a set of servers, in their namespace. */
export const tlsSecret = (base: string): string => `${base}-tls`;

/** The pods of a StatefulSet, and the service in front of each. */
export const serverNames = (base: string, count: number): readonly string[] => Array.from({ length: count }, (_, ordinal) => `${base}-${ordinal}`);

/** In the region of that role; the witness holds none. */
export const redisServers = { primary: 2, secondary: 1, witness: 0 } as const;

export const ports = {
  postgres: { server: 5432, rest: 8008, pgbackrest: 8432 },
  postgresProxy: { writer: 5432, reader: 5433, local: 5434, pgbackrest: 8432, health: 8443, metrics: 8405 },
  etcd: { client: 2379, peer: 2380, metrics: 2381 },
  redis: 6379,
  sentinel: 26_379,
  vault: { api: 8200, cluster: 8201 },
  vectors: { http: 6333, grpc: 6334, peers: 6335 },
} as const;

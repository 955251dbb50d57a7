import type { ScheduleName, StoreName } from "./types.ts";

/** Whose backups a schedule makes; `undefined` where it is not one store's: agents live in two, the archive and the
 * verification look at all of them. */
export const storeOfSchedule: Readonly<Record<ScheduleName, StoreName | undefined>> = {
  "postgres-incremental": "postgres",
  "postgres-diff": "postgres",
  "postgres-full": "postgres",
  "redis-snapshot": "redis",
  "vault-snapshot": "vault",
  "vectors-snapshot": "vectors",
  "objects-sync": "objects",
  "agents-checkpoint": undefined,
  "metrics-snapshot": "metrics",
  "config-snapshot": "configuration",
  "logs-ship": "logs",
  archive: undefined,
  verify: undefined,
};

/** What `dr backup` can be asked for, besides the stores: how the command calls them where that is another word. */
export const backupSubjects: ReadonlySet<string> = new Set(["postgres", "redis", "vault", "vectors", "objects", "logs", "metrics", "config", "agents", "archive", "all"]);

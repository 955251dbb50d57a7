/** The stores' backups that a recovery point consists of, in the order in which they are made. A store is added here. */
import { checkpointAgents } from "../agents/checkpoint.ts";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { backUpObjects } from "../stores/objects/back-up.ts";
import { targetConfig } from "../stores/objects/source-and-target.ts";
import { backUpPostgres } from "../stores/postgres/back-up.ts";
import { backUpRedis } from "../stores/redis/back-up.ts";
import { backUpVault } from "../stores/vault/back-up.ts";
import { backUpVectors } from "../stores/vectors/back-up.ts";
import type { PartOrder } from "./record.ts";

export interface Part {
  /** As the records of its backups say. */
  readonly store: string;
  /** For people: what is being done. */
  readonly step: string;
  /** When it is made: `base` is PostgreSQL's own backup; the restore point comes between `before` and `after`. */
  readonly order: PartOrder;
  /** Whether the system cannot be recovered without it. */
  readonly needed: boolean;
  /** Whether the configuration names the store; one that it does not name is left out. */
  configured(context: RunContext): boolean;
  /** The backends that it is kept in. */
  backends(context: RunContext): readonly string[];
  /** Makes the backup, and throws where no copy of it stands. */
  backUp(context: RunContext): Promise<BackupRecord | { readonly skipped: string }>;
}

const everyBackend = ({ backends }: RunContext): string[] => backends.map(({ name }) => name);
/** PostgreSQL's are kept in pgBackRest's repositories, which not every backend has. */
export const postgresBackends = ({ config }: RunContext): string[] => config.backends.flatMap(({ name, pgbackrest }) => (pgbackrest === undefined ? [] : [name]));
export const hasPostgres = ({ config }: RunContext): boolean => config.postgres !== undefined;

/**
 * PostgreSQL first, as it may take long. Then what must not be ahead of it, as shortly before the restore point as
 * can be; vectors belong there, and Vault. What PostgreSQL refers to, such as objects, comes `after`.
 */
export const parts: readonly Part[] = [
  {
    store: "postgres", step: "full backup of PostgreSQL", order: "base", needed: true,
    configured: hasPostgres,
    backends: postgresBackends,
    async backUp(context) {
      const result = await backUpPostgres(context, "full");
      return result.outcome === "skipped" ? { skipped: result.why } : result.record;
    },
  },
  {
    store: "redis", step: "snapshot of Redis", order: "before", needed: true,
    configured: ({ config }) => config.redis !== undefined,
    backends: everyBackend,
    async backUp(context) {
      // Kept as long as the full backup that it belongs to. Without a PostgreSQL whose leader decides, Redis's own does.
      const result = await backUpRedis(context, { schedule: "postgres-full", leaderOnly: !hasPostgres(context) });
      return result.done ? result.record : { skipped: result.why };
    },
  },
  {
    store: "vault", step: "snapshot of Vault", order: "before", needed: true,
    configured: ({ config }) => config.vault?.server !== undefined,
    backends: everyBackend,
    async backUp(context) {
      const result = await backUpVault(context, { schedule: "postgres-full", leaderOnly: true });
      return result.done ? result.record : { skipped: result.why };
    },
  },
  {
    // Important, not critical (D4): agents work without their semantic memory until it is back. Everything anew, so that
    // nothing older is needed for as long as this is kept.
    store: "vectors", step: "full backup of the vectors", order: "before", needed: false,
    configured: ({ config }) => config.vectors !== undefined,
    backends: everyBackend,
    async backUp(context) {
      const result = await backUpVectors(context, { schedule: "postgres-full", full: true });
      return result.done ? result.record : { skipped: result.why };
    },
  },
  {
    store: "agents", step: "checkpoint of the agents", order: "before", needed: false,
    configured: ({ config }) => config.postgres !== undefined && config.redis !== undefined,
    backends: everyBackend,
    backUp: async (context) => (await checkpointAgents(context)).record,
  },
  {
    // Rows that refer to objects stand without them, and R2 itself is where they are in most disasters.
    store: "objects", step: "copy of the objects", order: "after", needed: false,
    configured: ({ config }) => config.objects !== undefined,
    backends: (context) => [targetConfig(context).name],
    backUp: async (context) => (await backUpObjects(context)).record,
  },
];

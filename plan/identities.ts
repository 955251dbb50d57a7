/** Who may do what to the backups: one identity a kind of job, so that stolen credentials open as little as can be. */
import type { ScheduleName } from "./types.ts";

export type IdentityName = "postgres" | "redis" | "vault" | "vectors" | "objects" | "agents" | "logs" | "metrics" | "config" | "archive" | "verify" | "exporter" | "restore";

export interface Identity {
  readonly name: IdentityName;
  /** `writer`: reads and writes its own prefixes, and never takes a version away. `reader`: reads everything, and
   * writes records. `restorer`: reads everything, writes nothing. */
  readonly access: "writer" | "reader" | "restorer";
  readonly schedules: readonly ScheduleName[];
}

export const identities: readonly Identity[] = [
  // The database's own hosts archive under it as well. The daily full run of the whole system is not here but in `all`.
  { name: "postgres", access: "writer", schedules: ["postgres-incremental", "postgres-diff", "postgres-full"] },
  { name: "redis", access: "writer", schedules: ["redis-snapshot"] },
  { name: "vault", access: "writer", schedules: ["vault-snapshot"] },
  { name: "vectors", access: "writer", schedules: ["vectors-snapshot"] },
  { name: "objects", access: "writer", schedules: ["objects-sync"] },
  { name: "agents", access: "writer", schedules: ["agents-checkpoint"] },
  { name: "logs", access: "writer", schedules: ["logs-ship"] },
  { name: "metrics", access: "writer", schedules: ["metrics-snapshot"] },
  { name: "config", access: "writer", schedules: ["config-snapshot"] },
  { name: "archive", access: "writer", schedules: ["archive"] },
  { name: "verify", access: "reader", schedules: ["verify"] },
  { name: "exporter", access: "restorer", schedules: [] },
  { name: "restore", access: "restorer", schedules: [] },
];

/**
 * Whose work a schedule is.
 * @throws RangeError where it is nobody's: a schedule without an identity could not run
 */
export function identityOf(schedule: ScheduleName): Identity {
  const identity = identities.find(({ schedules }) => schedules.includes(schedule));
  if (identity === undefined) throw new RangeError(`no identity runs ${schedule}`);
  return identity;
}

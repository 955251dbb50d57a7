/** Who may do what to the backups: one identity a kind of job, so that stolen credentials open as little as can be. */
import type { ScheduleName } from "./types.ts";

export type IdentityName = "all" | "postgres" | "redis" | "vault" | "vectors" | "objects" | "agents" | "logs" | "metrics" | "config" | "archive" | "verify" | "exporter" | "restore";

export interface Identity {
  readonly name: IdentityName;
  /** `writer`: reads and writes its own prefixes, and never takes a version away. `reader`: reads everything, and
   * writes records. `restorer`: reads everything, writes nothing. */
  readonly access: "writer" | "reader" | "restorer";
  readonly schedules: readonly ScheduleName[];
  /** Schedules whose prefixes it writes too, without running them. */
  readonly writesFor?: readonly ScheduleName[];
}

/** The stores' own backups that the daily full run makes, so that they meet in one recovery point. */
const madeByAll: readonly ScheduleName[] = ["redis-snapshot", "vault-snapshot", "vectors-snapshot", "objects-sync", "agents-checkpoint", "metrics-snapshot", "config-snapshot"];

export const identities: readonly Identity[] = [
  // Once a day for an hour, what opens every store is in one pod; everything else of the day holds its own store alone.
  { name: "all", access: "writer", schedules: ["postgres-full"], writesFor: madeByAll },
  // The database's own hosts archive under it as well.
  { name: "postgres", access: "writer", schedules: ["postgres-incremental", "postgres-diff"] },
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

/** The schedules whose prefixes in the buckets an identity may write under. */
export const writtenBy = ({ schedules, writesFor = [] }: Identity): readonly ScheduleName[] => [...schedules, ...writesFor];

/** What lies where in a backend's bucket: lifecycle, locks and grants are by these prefixes. */
import { scheduleOf } from "./find.ts";
import { pgbackrestPath, stanza } from "./names.ts";
import { isShortLived } from "./survival.ts";
import type { Backend, Plan, Schedule, ScheduleName } from "./types.ts";
import { seconds, type Duration } from "./units.ts";

export interface Prefix {
  /** What keys begin with; a slash ends it but for WAL (`walPrefixes`). */
  readonly prefix: string;
  /** Who writes there. */
  readonly schedules: readonly ScheduleName[];
  /** Each object is written once and never again, so it can be locked. */
  readonly writeOnce: boolean;
  /** The longest that anything there is kept. */
  readonly retention: Duration | "forever";
  /** How long nothing there can be deleted or overwritten; zero where it cannot be locked. */
  readonly lock: Duration;
}

/** The store of a schedule's backups in the bucket; PostgreSQL's have a repository of their own. */
const folderOf: Readonly<Partial<Record<ScheduleName, string>>> = {
  "redis-snapshot": "redis/",
  "vault-snapshot": "vault/",
  "vectors-snapshot": "vectors/",
  "objects-sync": "objects/",
  "agents-checkpoint": "agents/",
  "logs-ship": "logs/",
  "metrics-snapshot": "metrics/",
  "config-snapshot": "configuration/",
};

const postgresSchedules: readonly ScheduleName[] = ["postgres-incremental", "postgres-diff", "postgres-full"];
/** Records outlive what they describe by nothing: the longest retention of any backup is theirs. */
export const catalogPrefix = "catalog/";
/** Who recovers and who expires: a few small files that come and go, so they are never locked. */
export const leasesPrefix = "leases/";
/** pgBackRest's, which expires its own: nobody else may. */
export const repositoryPrefix = `${pgbackrestPath.slice(1)}/`;
/** The passphrases, sealed to people; a few kilobytes that are never deleted. No job writes there. */
export const escrowPrefix = "escrow/";
/**
 * WAL, write-once but for `archive.info` beside it (facts F3): it lies in `VERSION-HISTORY/`, both of which grow with an
 * upgrade, so the first digit of the version is all that a lock made beforehand can name. Majors 10 to 29.
 */
export const walPrefixes: readonly string[] = ["1", "2"].map((digit) => `${repositoryPrefix}archive/${stanza}/${digit}`);

/** Every prefix that something is written to, of a backend that is written to by jobs. */
export function prefixesOf(plan: Plan, backend: Backend): readonly Prefix[] {
  const kept = (names: readonly ScheduleName[]): Duration | "forever" => longest(names.flatMap((name) => retentionsOf(scheduleOf(plan, name))));
  const own = plan.schedules.flatMap((schedule): Prefix[] => {
    const prefix = folderOf[schedule.name];
    if (prefix === undefined) return [];
    // What is kept equal to the original is overwritten there: versions keep its history, a lock would stop the job.
    const writeOnce = schedule.writes !== "mirror" || backend.versioned;
    return [{ prefix, schedules: [schedule.name], writeOnce, retention: kept([schedule.name]), lock: writeOnce ? lockOf(backend, schedule) : seconds(0) }];
  });
  const postgres = kept(postgresSchedules);
  return [
    { prefix: catalogPrefix, schedules: plan.schedules.map(({ name }) => name), writeOnce: true, retention: kept(plan.schedules.map(({ name }) => name)), lock: backend.immutableFor },
    ...own,
    ...walPrefixes.map((prefix): Prefix => ({ prefix, schedules: postgresSchedules, writeOnce: true, retention: postgres, lock: backend.immutableFor })),
    { prefix: `${repositoryPrefix}backup/${stanza}/`, schedules: postgresSchedules, writeOnce: false, retention: postgres, lock: backend.versioned ? backend.immutableFor : seconds(0) },
  ];
}

/** Prefixes under which something is kept for less than the backend's lock. */
export const shortLivedPrefixes = (plan: Plan, backend: Backend): readonly string[] =>
  plan.schedules.flatMap((schedule) => {
    const prefix = folderOf[schedule.name];
    return prefix !== undefined && isShortLived(backend, schedule) ? [prefix] : [];
  });

const lockOf = (backend: Backend, schedule: Schedule): Duration => (isShortLived(backend, schedule) && backend.shortLived !== undefined ? backend.shortLived.immutableFor : backend.immutableFor);

function retentionsOf(schedule: Schedule | undefined): readonly (Duration | "forever")[] {
  return schedule === undefined ? [] : [schedule.retention, ...(schedule.keepLonger ?? []).map(({ retention }) => retention)];
}

const longest = (durations: readonly (Duration | "forever")[]): Duration | "forever" =>
  durations.includes("forever") ? "forever" : seconds(Math.max(0, ...durations.filter((duration) => duration !== "forever")));

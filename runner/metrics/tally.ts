import { z } from "zod";
import { failureKinds, metrics } from "../../plan/metrics.ts";
import type { Plan, ScheduleName } from "../../plan/types.ts";
import type { BackupRecord } from "../catalog/record.ts";
import { storeAndKind } from "../status/expected.ts";

export type FailureKind = (typeof failureKinds)[number];

const count = z.number().min(0);
const byTarget = z.record(z.string(), count);

/** What the runs of one type came to, since the first of them. */
const runsSchema = z.object({
  /** Copies that stand, or stood. */
  succeeded: byTarget,
  /** Copies that never came about, by target and kind of failure. */
  failed: z.record(z.string(), byTarget),
  runs: count,
  /** Of all runs together. */
  seconds: count,
  /** Runs that took at most as long as each of the histogram's bounds. */
  within: z.array(count).length(metrics.backupDuration.buckets.length),
});
/** By type, i.e. by the schedule's name. */
export const tallySchema = z.record(z.string(), runsSchema);

type Runs = z.infer<typeof runsSchema>;
export type Tally = z.infer<typeof tallySchema>;

const noRuns = (): Runs => ({ succeeded: {}, failed: {}, runs: 0, seconds: 0, within: metrics.backupDuration.buckets.map(() => 0) });

/** The store whose records are the weekly archive's, whatever their kind. */
export const archiveStore = "archive";

/** Which schedule's work a record is; `undefined` for what no schedule makes. */
export function typeOf(plan: Plan, { store, kind }: Pick<BackupRecord, "store" | "kind">): ScheduleName | undefined {
  if (store === archiveStore) return "archive";
  return plan.schedules.find(({ name }) => {
    const made = storeAndKind(name);
    return made?.store === store && made.kind === kind;
  })?.name;
}

/** Counts records; every figure only grows. What makes no backup is not among them. */
export function tallyOf(plan: Plan, records: readonly BackupRecord[], base: Tally = {}): Tally {
  const tally = structuredClone(base);
  for (const record of records) {
    const type = typeOf(plan, record);
    if (type !== undefined) countInto((tally[type] ??= noRuns()), record);
  }
  return tally;
}

function countInto(runs: Runs, { copies, startedAt, finishedAt }: BackupRecord): void {
  for (const copy of copies) {
    if (copy.status === "ok") add(runs.succeeded, copy.backend);
    else add((runs.failed[copy.backend] ??= {}), copy.kind ?? "failed");
  }
  const took = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000);
  runs.runs += 1;
  runs.seconds += took;
  metrics.backupDuration.buckets.forEach((bound, index) => {
    if (took <= bound) runs.within[index] = (runs.within[index] ?? 0) + 1;
  });
}

const add = (counts: Record<string, number>, name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);

/** Of each figure the greater one: a counter that fell would look reset, and what follows like so many new failures. */
export function greatest(a: Tally, b: Tally): Tally {
  return merged(a, b, (one = noRuns(), other = noRuns()) => ({
    succeeded: greatestCounts(one.succeeded, other.succeeded),
    failed: merged(one.failed, other.failed, greatestCounts),
    runs: Math.max(one.runs, other.runs),
    seconds: Math.max(one.seconds, other.seconds),
    within: one.within.map((value, index) => Math.max(value, other.within[index] ?? 0)),
  }));
}

const greatestCounts = (a: Readonly<Record<string, number>> = {}, b: Readonly<Record<string, number>> = {}): Record<string, number> => merged(a, b, (one = 0, other = 0) => Math.max(one, other));

function merged<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>, join: (a: T | undefined, b: T | undefined) => T): Record<string, T> {
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [name, join(a[name], b[name])]));
}

/** Which job of the plan a command is, and what its last runs came to. */
import { scheduleOf } from "../../plan/find.ts";
import { intervalOf } from "../../plan/schedule.ts";
import type { Plan, Schedule } from "../../plan/types.ts";
import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { archiveStore } from "../metrics/tally.ts";
import { recoveryPointKind, systemStore } from "../recovery-point/record.ts";
import { storeAndKind } from "../status/expected.ts";

export type Severity = "critical" | "warning";

export interface Job {
  readonly schedule: Schedule;
  /** Store and kind of the records that its runs leave. */
  readonly leaves: { readonly store: string; readonly kind?: string };
}

/** The job that `dr WORDS` does; `undefined` where it is none of the plan's. */
export function jobOf(plan: Plan, words: readonly string[]): Job | undefined {
  if (words[0] !== "backup") return undefined;
  const same = (schedule: Schedule): boolean => schedule.command.every((word, index) => word === words[index]);
  const schedule = plan.schedules.find(same) ?? plan.schedules.find(({ name }) => {
    const made = storeAndKind(name); // `backup postgres full`, which the plan runs as a part of `backup all`
    return made?.store === words[1] && made?.kind === words[2];
  });
  if (schedule === undefined) return undefined;
  if (words[1] === "all") return { schedule, leaves: { store: systemStore, kind: recoveryPointKind } };
  const made = storeAndKind(schedule.name);
  return { schedule, leaves: made ?? { store: archiveStore } };
}

/** The daily full backup is the system's: that it failed is critical (S5). */
export const severityOf = (plan: Plan, { schedule }: Pick<Job, "schedule">): Severity => (schedule === scheduleOf(plan, "postgres-full") ? "critical" : "warning");

/** Hours that are looked through for the run before, if the job's own rhythm shows none. */
const lookBack = 7 * 24;

/**
 * The failed run that the present one makes good: the one just before it left a copy out, or all of them. `undefined`
 * where that one was good too, there is none, or the present one left no backup (nothing was to be done).
 */
export async function madeGood(context: RunContext, { schedule, leaves }: Job, since: Date): Promise<BackupRecord | undefined> {
  for (const seconds of [3 * intervalOf(schedule), lookBack * 3_600]) {
    const { records } = await context.catalog.list({ ...leaves, since: new Date(since.getTime() - seconds * 1_000) });
    const [before, last] = records.slice(-2);
    if (records.length === 0) return undefined;
    if (before === undefined || last === undefined) continue;
    return Date.parse(last.startedAt) >= since.getTime() && outcomeOf(last) === "ok" && outcomeOf(before) !== "ok" ? before : undefined;
  }
  return undefined;
}

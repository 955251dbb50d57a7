import { intervalOf } from "../schedule.ts";
import type { Plan, Schedule } from "../types.ts";
import type { Duration } from "../units.ts";

/** Says that a field is wrong. */
export type Report = (field: string, value: unknown, expected: string) => void;

/** Looks at one side of a plan and reports everything that is wrong with it. Whatever another check reports (a name
 * that is not there, a cron expression that is none) it passes over, so that all errors come at once. */
export type Check = (plan: Plan, report: Report) => void;

/** A schedule's interval; `undefined` where its cron expression is wrong, which the check of schedules reports. */
export function knownInterval(schedule: Pick<Schedule, "cron" | "interval">): Duration | undefined {
  try {
    return intervalOf(schedule);
  } catch {
    return undefined;
  }
}

/** The values that occur more than once, each once. */
export const duplicatesOf = (values: readonly string[]): readonly string[] => [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];

/** The longest that anything of a schedule is kept, in seconds. */
export const longestRetention = (schedule: Schedule): number => (schedule.retention === "forever" ? Infinity : Math.max(schedule.retention, ...(schedule.keepLonger ?? []).map((step) => step.retention)));

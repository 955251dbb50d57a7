import { Cron } from "croner";
import type { Schedule } from "./types.ts";
import { days, seconds, type Duration } from "./units.ts";

/** What schedules are reckoned from; any year gives the same intervals, a fixed one gives the same answer every time. */
const start = new Date("2027-01-01T00:00:00Z");
const year = days(366);

/** Five fields, as CronJobs take them. Kubernetes also takes `@daily` and the like; one way to write it is enough. */
export function parseCron(cron: string): Cron {
  if (cron.startsWith("@")) throw new RangeError(`${cron} is a nickname, not five fields`);
  return new Cron(cron, { utcOffset: 0, mode: "5-part" }); // a zone by its name costs five times as much
}

const known = new Map<string, Duration>();

/**
 * The longest time between two runs of a cron expression in a year of UTC, in seconds.
 * @throws RangeError where it is no cron expression or runs less often than once a year.
 */
export function longestInterval(cron: string): Duration {
  const seen = known.get(cron);
  if (seen !== undefined) return seen;
  const job = parseCron(cron);
  const daily = cron.trim().split(/\s+/).slice(2).every((field) => field === "*");
  const end = start.getTime() + (daily ? days(2) : year) * 1_000; // a pattern of hours and minutes repeats every day
  let longest = 0;
  let previous = job.nextRun(start)?.getTime();
  while (previous !== undefined && previous < end) {
    const next = job.nextRun(new Date(previous))?.getTime();
    if (next === undefined) break;
    longest = Math.max(longest, next - previous);
    previous = next;
  }
  if (longest === 0 || longest > year * 1_000) throw new RangeError(`${cron} runs less often than once a year`);
  const interval = seconds(longest / 1_000);
  known.set(cron, interval);
  return interval;
}

/** How long the data of a schedule's newest run can be the newest there is, less the run's own duration. */
export function intervalOf(schedule: Pick<Schedule, "cron" | "interval">): Duration {
  return schedule.interval ?? longestInterval(schedule.cron);
}

/** The first run after `from`. Scaled schedules run on multiples of their interval since the epoch. */
export function nextRun(schedule: Pick<Schedule, "cron" | "interval">, from: Date): Date {
  if (schedule.interval !== undefined) {
    const step = schedule.interval * 1_000;
    return new Date((Math.floor(from.getTime() / step) + 1) * step);
  }
  const next = parseCron(schedule.cron).nextRun(from);
  if (next === null) throw new RangeError(`${schedule.cron} never runs again`);
  return next;
}

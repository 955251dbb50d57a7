import { intervalOf } from "./schedule.ts";
import type { Plan, Schedule } from "./types.ts";
import { addDurations, seconds, type Duration } from "./units.ts";

/**
 * When a schedule's newest backup is overdue, as its age in seconds. The plan's alert (N9) holds for what survives a
 * missed run within its threshold; for everything else it would fire each day, so the threshold is the schedule's
 * own: one interval, and the time that a run may take.
 * @throws RangeError where the plan has no such alert
 */
export function overdueAfter(plan: Plan, schedule: Schedule): Duration {
  const alert = plan.alerts.find((one) => one.kind === "overdue");
  if (alert === undefined) throw new RangeError(`the plan ${plan.name} has no alert on overdue backups`);
  const interval = intervalOf(schedule);
  const frequent = 2 * interval + schedule.deadline <= alert.above;
  return frequent ? alert.above : addDurations(seconds(Math.max(interval, alert.above)), schedule.deadline);
}

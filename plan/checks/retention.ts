import { isBackendCopy, scheduleOf } from "../find.ts";
import type { Plan, Schedule, Store } from "../types.ts";
import { knownInterval, longestRetention, type Check, type Report } from "./check.ts";

/** What is kept reaches as far back as what is promised. */
export const checkRetention: Check = (plan, report) => {
  const { window, walRetention, checkpointRetention, timeToNotice } = plan.recovery;
  if (walRetention < window) report("recovery.walRetention", walRetention, `at least recovery.window, ${window}: the log is what reaches each moment of it`);
  if (timeToNotice > window) report("recovery.timeToNotice", timeToNotice, `at most recovery.window, ${window}: what is noticed later cannot be undone`);
  for (const store of plan.stores) checkStore(plan, store, report);
  const checkpoints = scheduleOf(plan, "agents-checkpoint");
  if (checkpoints !== undefined && longestRetention(checkpoints) < checkpointRetention) report("schedules[agents-checkpoint].retention", checkpoints.retention, `at least recovery.checkpointRetention, ${checkpointRetention}`);
};

function checkStore(plan: Plan, store: Store, report: Report): void {
  const { window, timeToNotice } = plan.recovery;
  const schedules = schedulesOf(plan, store);
  if (schedules.length === 0) return;
  const field = `stores[${store.name}].copies`;
  const longest = Math.max(...schedules.map(longestRetention));
  if (longest < timeToNotice) report(field, longest, `a copy that is kept for at least recovery.timeToNotice, ${timeToNotice}`);
  if (store.category === "critical" && longest < plan.system.retention) report(field, longest, `a copy that is kept for system.retention, ${plan.system.retention}`);
  if (!store.copies.some((copy) => copy.kind === "log-archive")) return;
  // A moment just inside the window is reached from a base that lies before it.
  const bases = schedules.filter((schedule) => schedule.writes === "everything" && schedule.tool === "pgbackrest");
  for (const base of bases) {
    const interval = knownInterval(base);
    if (interval !== undefined && longestRetention(base) < window + interval) report(`schedules[${base.name}].retention`, base.retention, `at least ${window + interval}: recovery.window and one interval, for a base before its oldest moment`);
  }
  if (bases.length === 0) report(field, schedules.map((schedule) => schedule.name), "a full backup for the log to be replayed on");
}

const schedulesOf = (plan: Plan, store: Store): readonly Schedule[] =>
  [...new Set(store.copies.filter(isBackendCopy).map((copy) => copy.schedule))].map((name) => scheduleOf(plan, name)).filter((schedule) => schedule !== undefined);

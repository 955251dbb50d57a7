import { backendOf, isBackendCopy, scheduleOf } from "../find.ts";
import type { Backend, Plan, Schedule } from "../types.ts";
import type { Check, Report } from "./check.ts";

/**
 * A lock lasts until a thief is noticed, and no longer than what it locks: beyond that, expiry fails every day, and
 * data that should be gone is paid for and kept.
 */
export const checkLocks: Check = (plan, report) => {
  const { timeToNotice } = plan.recovery;
  for (const backend of plan.backends) {
    const field = `backends[${backend.name}]`;
    if (backend.immutableFor < timeToNotice) report(`${field}.immutableFor`, backend.immutableFor, `at least recovery.timeToNotice, ${timeToNotice}: a lock that ends sooner protects nothing by then`);
    if (backend.shortLived !== undefined && backend.shortLived.immutableFor >= backend.immutableFor) report(`${field}.shortLived.immutableFor`, backend.shortLived.immutableFor, `less than immutableFor, ${backend.immutableFor}`);
    const schedules = writtenTo(plan, backend);
    // Where deletions leave the locked version behind, expiry goes on. Where they do not, only the log is locked.
    if (schedules.some((schedule) => schedule.tool === "pgbackrest") && !backend.versioned && backend.immutableFor > plan.recovery.walRetention) {
      report(`${field}.immutableFor`, backend.immutableFor, `at most recovery.walRetention, ${plan.recovery.walRetention}: pgBackRest could not expire the log`);
    }
    for (const schedule of schedules) if (schedule.tool === "dr") checkExpiry(backend, schedule, report);
  }
};

function checkExpiry(backend: Backend, schedule: Schedule, report: Report): void {
  const field = `backends[${backend.name}]`;
  const { retention } = schedule;
  // What is kept for longer stands in the backend itself, under its whole lock.
  for (const step of schedule.keepLonger ?? []) {
    if (step.retention < backend.immutableFor) report(`${field}.immutableFor`, backend.immutableFor, `at most ${step.retention}, for which ${schedule.name} keeps one per ${step.every} s`);
  }
  if (retention === "forever" || retention >= backend.immutableFor) return;
  if (backend.shortLived === undefined) report(`${field}.immutableFor`, backend.immutableFor, `at most ${retention}, the retention of ${schedule.name}; or a shortLived place for it`);
  else if (backend.shortLived.immutableFor > retention) report(`${field}.shortLived.immutableFor`, backend.shortLived.immutableFor, `at most ${retention}, the retention of ${schedule.name}`);
}

function writtenTo(plan: Plan, backend: Backend): readonly Schedule[] {
  const names = plan.stores.flatMap((store) => store.copies.flatMap((copy) => (isBackendCopy(copy) && backendOf(plan, copy.backend) === backend ? [copy.schedule] : [])));
  // Agents' checkpoints are no copy of one store; they go wherever backups go.
  return [...new Set([...names, ...(backend.role === "archive" ? [] : ["agents-checkpoint" as const])])].map((name) => scheduleOf(plan, name)).filter((schedule) => schedule !== undefined);
}

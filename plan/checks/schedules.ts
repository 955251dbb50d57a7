import { isBackendCopy, scheduleOf } from "../find.ts";
import { bytesPerRun } from "../volume.ts";
import { longestInterval, parseCron } from "../schedule.ts";
import type { Plan, Schedule } from "../types.ts";
import { bytes, formatDuration, transferTime } from "../units.ts";
import { knownInterval, type Check, type Report } from "./check.ts";

/** A CronJob's starting deadline under 10 s may never fire (facts F13). */
const leastDeadline = 10;

export const checkCrons: Check = (plan, report) => {
  for (const schedule of plan.schedules) {
    if (schedule.interval !== undefined) continue;
    try {
      parseCron(schedule.cron);
      longestInterval(schedule.cron);
    } catch (error) {
      report(`schedules[${schedule.name}].cron`, schedule.cron, `five fields of cron in UTC that come round at least once a year (${error instanceof Error ? error.message : String(error)})`);
    }
  }
};

/** A run ends before the next begins, and what it makes is there until the next has made its own. */
export const checkRuns: Check = (plan, report) => {
  for (const schedule of plan.schedules) {
    const field = `schedules[${schedule.name}]`;
    const { deadline, retention } = schedule;
    if (schedule.command.length === 0) report(`${field}.command`, [], "the arguments of dr");
    if (deadline > 0 && deadline < leastDeadline) report(`${field}.deadline`, deadline, `at least ${leastDeadline} s`);
    const interval = knownInterval(schedule);
    if (interval === undefined) continue;
    if (deadline > interval) report(`${field}.deadline`, deadline, `at most ${interval}, the interval: a run that is still going makes the next one wait`);
    if (retention !== "forever" && schedule.writes !== "nothing" && retention < interval + deadline) report(`${field}.retention`, retention, `at least ${interval + deadline}, interval and deadline: or nothing is left before the next is made`);
    checkLadder(schedule, interval, report);
    checkSince(plan, schedule, interval, report);
  }
};

function checkLadder(schedule: Schedule, interval: number, report: Report): void {
  let before = { every: interval, retention: schedule.retention === "forever" ? Infinity : schedule.retention };
  (schedule.keepLonger ?? []).forEach((step, index) => {
    const field = `schedules[${schedule.name}].keepLonger[${index}]`;
    if (step.every < before.every) report(`${field}.every`, step.every, `at least ${before.every}: what is kept longer is kept more sparsely`);
    if (step.retention <= before.retention) report(`${field}.retention`, step.retention, `more than ${before.retention}, which the step before it keeps already`);
    before = step;
  });
}

function checkSince(plan: Plan, schedule: Schedule, interval: number, report: Report): void {
  if (schedule.since === undefined) return;
  const base = scheduleOf(plan, schedule.since);
  const wider = base === undefined ? undefined : knownInterval(base);
  if (schedule.writes !== "changes") report(`schedules[${schedule.name}].since`, schedule.since, "absent: only changes count from something");
  if (wider !== undefined && wider <= interval) report(`schedules[${schedule.name}].since`, schedule.since, `a schedule that runs less often than every ${formatDuration(interval)}`);
}

/** A run at the plan's own rate ends in its deadline. pgBackRest backs up to one repository at a time. */
export const checkDeadlines: Check = (plan, report) => {
  if (!(plan.rates.upload > 0)) return;
  for (const schedule of plan.schedules) {
    if (knownInterval(schedule) === undefined) continue;
    const written = plan.stores.map((store) => {
      const copies = store.copies.filter((copy) => isBackendCopy(copy) && copy.kind === "backup" && copy.schedule === schedule.name).length;
      return copies === 0 ? 0 : bytesPerRun(plan, store, schedule).most * (schedule.tool === "pgbackrest" ? copies : 1);
    });
    const needed = transferTime(bytes(written.reduce((sum, size) => sum + size, 0)), plan.rates.upload);
    if (needed > schedule.deadline) report(`schedules[${schedule.name}].deadline`, schedule.deadline, `at least ${Math.ceil(needed)}, which a run needs at rates.upload`);
  }
};

/** The jobs that an RPO rests on leave it whole when one of their runs is missed. */
export const checkMissedRuns: Check = (plan, report) => {
  for (const store of plan.stores) {
    if (store.copies.some((copy) => copy.kind === "log-archive")) continue;
    const rpo = Math.max(plan.categories[store.category].rpo, store.category === "operational" ? 0 : plan.system.rpo);
    const names = new Set(store.copies.flatMap((copy) => (copy.kind === "backup" ? [copy.schedule] : [])));
    const bounds = [...names].flatMap((name) => {
      const schedule = scheduleOf(plan, name);
      const interval = schedule === undefined ? undefined : knownInterval(schedule);
      return schedule === undefined || interval === undefined ? [] : [{ name, bound: 2 * interval + schedule.deadline }];
    });
    const best = bounds.toSorted((a, b) => a.bound - b.bound)[0];
    if (best !== undefined && best.bound > rpo) report(`schedules[${best.name}].cron`, scheduleOf(plan, best.name)?.cron, `twice the interval and the deadline within ${rpo} s, the RPO of ${store.name}: one missed run must be survived (it is ${best.bound} s)`);
  }
};

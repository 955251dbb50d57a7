import { storesByPromise } from "../promised-loss.ts";
import { storeOfSchedule } from "../schedule-store.ts";
import { knownInterval, type Check } from "./check.ts";

/** Alerts that come in time, and not in ordinary operation. */
export const checkAlerts: Check = (plan, report) => {
  const { rpo } = plan.system;
  const healthyWalAge = plan.postgres.archiveTimeout + plan.postgres.pushBound;
  const ages = plan.alerts.filter((alert) => alert.kind === "recovery-point-age");
  for (const alert of ages) {
    if (alert.above > rpo) report(`alerts[${alert.name}].above`, alert.above, `at most system.rpo, ${rpo}`);
    const interval = shortestBackupInterval(plan.schedules);
    if (interval !== undefined && alert.above <= interval) report(`alerts[${alert.name}].above`, alert.above, `more than ${interval}, the interval of the most frequent backup: or it fires while all is well`);
  }
  if (!ages.some((alert) => alert.above + alert.for < rpo)) report("alerts", ages.map((alert) => alert.above + alert.for), `one on the recovery point's age that fires, its "for" counted, before system.rpo (${rpo}) is broken`);
  checkStoreAges(plan, report);
  for (const alert of plan.alerts) {
    if (alert.kind === "failures" && alert.window < alert.for) report(`alerts[${alert.name}].window`, alert.window, `at least "for", ${alert.for}: or the failure has left the window before it fires`);
    if (alert.kind === "overdue" && !plan.schedules.some((schedule) => (knownInterval(schedule) ?? Infinity) < alert.above)) report(`alerts[${alert.name}].above`, alert.above, "more than the interval of some schedule: or it always fires");
    if (alert.kind === "wal-age" && alert.above <= healthyWalAge) report(`alerts[${alert.name}].above`, alert.above, `more than ${healthyWalAge}, postgres.archiveTimeout and postgres.pushBound: or it fires while all is well`);
    if (alert.kind === "replication-lag" && alert.above > plan.system.replicationLag) report(`alerts[${alert.name}].above`, alert.above, `at most system.replicationLag, ${plan.system.replicationLag}`);
    if (alert.kind !== "storage-available") continue;
    for (const backend of plan.backends) {
      if (alert.below >= backend.quota) report(`alerts[${alert.name}].below`, alert.below, `less than the quota of ${backend.name}, ${backend.quota}: or it always fires`);
    }
  }
};

/** Each store has an alert that fires before what it is promised is broken, and not while its backups come as planned. */
function checkStoreAges(plan: Parameters<Check>[0], report: Parameters<Check>[1]): void {
  const ages = plan.alerts.filter((alert) => alert.kind === "store-recovery-point-age");
  for (const { name, share } of ages) if (!(share > 0 && share < 1)) report(`alerts[${name}].share`, share, "between 0 and 1");
  for (const [promised, store] of [...storesByPromise(plan)].flatMap(([loss, stores]) => stores.map((one) => [loss, one] as const))) {
    if (!ages.some((alert) => alert.share * promised + alert.for < promised)) report("alerts", store.name, `one on the age of ${store.name} that fires, its "for" counted, before the ${promised} that it is promised`);
    const own = plan.schedules.filter(({ name }) => storeOfSchedule[name] === store.name);
    const ordinary = Math.min(...own.map((schedule) => (knownInterval(schedule) ?? Infinity) + schedule.deadline), ...(store.copies.some(({ kind }) => kind === "log-archive") ? [plan.postgres.archiveTimeout + plan.postgres.pushBoundDegraded] : []));
    for (const { name, share } of ages) {
      if (Number.isFinite(ordinary) && share * promised <= ordinary) report(`alerts[${name}].share`, share, `more than ${ordinary / promised}: ${store.name} is ${ordinary} s old while all is well`);
    }
  }
}

function shortestBackupInterval(schedules: readonly Parameters<typeof knownInterval>[0][]): number | undefined {
  const intervals = schedules.map(knownInterval).filter((interval) => interval !== undefined);
  return intervals.length === 0 ? undefined : Math.min(...intervals);
}

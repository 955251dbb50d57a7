import type { Acceptance, Alert, Plan, Schedule } from "./types.ts";
import { intervalOf } from "./schedule.ts";
import { scaleDuration, seconds, type Duration } from "./units.ts";

/**
 * The same plan with its time compressed, for a drill: what the plan chooses is divided by `factor`, what a tool or
 * physics fixes is not. `scalePlan(blackroad, 60)` runs in a minute what production runs in an hour.
 *
 * Divided: the intervals of the schedules (as `interval`, because cron knows no seconds), their retentions and those
 * of `keepLonger`; `postgres.archiveTimeout`; the RPO of the system and of the categories, and what is accepted
 * instead of an RPO; the system's retention; `recovery.*`; the locks of the backends; the alerts' thresholds, windows
 * and `for`. `archive_timeout` stays at 1 s at the least: PostgreSQL takes whole seconds.
 *
 * Kept: every RTO and the tiers' times (a server starts no faster); deadlines (a run takes as long as its data
 * needs); lease, loop, retry, promotion, `ioTimeout`, both push bounds; Sentinel's times; the replicas' lag bound and
 * `system.replicationLag`; a bucket's replication bound (RTC has one value); an archive's retrieval; DNS; every size
 * and rate.
 *
 * A scaled plan is not for `definePlan`: its deadlines may well exceed its intervals.
 *
 * @param factor at least 1; 1 returns the plan as it is.
 */
export function scalePlan(plan: Plan, factor: number): Plan {
  if (!Number.isFinite(factor) || factor < 1) throw new RangeError(`a plan is scaled by a factor of at least 1, not ${factor}`);
  if (factor === 1) return plan;
  const scaled = (duration: Duration): Duration => scaleDuration(duration, 1 / factor);
  const category = <T extends { readonly rpo: Duration }>(objective: T): T => ({ ...objective, rpo: scaled(objective.rpo) });
  return {
    ...plan,
    system: { ...category(plan.system), retention: scaled(plan.system.retention) },
    categories: { critical: category(plan.categories.critical), important: category(plan.categories.important), operational: category(plan.categories.operational) },
    backends: plan.backends.map((backend) => ({
      ...backend,
      immutableFor: scaled(backend.immutableFor),
      ...(backend.shortLived === undefined ? {} : { shortLived: { ...backend.shortLived, immutableFor: scaled(backend.shortLived.immutableFor) } }),
    })),
    schedules: plan.schedules.map((schedule) => scaleSchedule(schedule, scaled)),
    recovery: {
      window: scaled(plan.recovery.window),
      walRetention: scaled(plan.recovery.walRetention),
      checkpointRetention: scaled(plan.recovery.checkpointRetention),
      timeToNotice: scaled(plan.recovery.timeToNotice),
    },
    alerts: plan.alerts.map((alert) => scaleAlert(alert, scaled)),
    postgres: { ...plan.postgres, archiveTimeout: seconds(Math.max(1, scaled(plan.postgres.archiveTimeout))) },
    accepted: plan.accepted.map((acceptance): Acceptance => (acceptance.what === "rpo" ? { ...acceptance, upTo: scaled(acceptance.upTo) } : acceptance)),
    intervalScale: plan.intervalScale * factor,
  };
}

type Scaled = (duration: Duration) => Duration;

function scaleSchedule(schedule: Schedule, scaled: Scaled): Schedule {
  return {
    ...schedule,
    interval: scaled(intervalOf(schedule)),
    retention: schedule.retention === "forever" ? "forever" : scaled(schedule.retention),
    ...(schedule.keepLonger === undefined ? {} : { keepLonger: schedule.keepLonger.map((step) => ({ every: scaled(step.every), retention: scaled(step.retention) })) }),
  };
}

function scaleAlert(alert: Alert, scaled: Scaled): Alert {
  const holds = scaled(alert.for);
  switch (alert.kind) {
    case "failures":
      return { ...alert, for: holds, window: scaled(alert.window) };
    case "overdue":
    case "recovery-point-age":
    case "drill-overdue":
    case "metrics-stale":
      return { ...alert, for: holds, above: scaled(alert.above) };
    case "token-expiry":
      return { ...alert, for: holds, below: scaled(alert.below) };
    // A size, a share, a push, a replica's lag and what holds or does not are the same at any pace.
    case "storage-available":
    case "store-recovery-point-age":
    case "wal-age":
    case "replication-lag":
    case "synchronous-standby-missing":
    case "verification-failed":
    case "exporter-down":
      return { ...alert, for: holds };
  }
}

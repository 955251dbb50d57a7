import { scheduleOf } from "./find.ts";
import { intervalOf } from "./schedule.ts";
import type { Plan, Schedule, Store } from "./types.ts";
import { bytes, days, type Duration, type Size } from "./units.ts";

/** What one run of a schedule reads of a store, before compression: on average, and at the most. */
export function bytesPerRun(plan: Plan, store: Store, schedule: Schedule): { readonly mean: Size; readonly most: Size } {
  const perSecond = store.dailyChange / days(1);
  const changed = (interval: number): Size => bytes(Math.min(store.expectedSize, perSecond * interval));
  const own = intervalOf(schedule);
  switch (schedule.writes) {
    case "nothing":
      return { mean: bytes(0), most: bytes(0) };
    case "everything":
      return { mean: store.expectedSize, most: store.expectedSize };
    case "mirror":
      return { mean: changed(own), most: changed(own) };
    case "changes": {
      const base = schedule.since === undefined ? undefined : scheduleOf(plan, schedule.since);
      if (base === undefined) return { mean: changed(own), most: changed(own) };
      // It grows from nothing to a whole interval of the base, and begins again.
      const whole = intervalOf(base);
      return { mean: changed(whole / 2), most: changed(whole) };
    }
  }
}

/** What a schedule holds in one backend once its retentions have filled up, in bytes as stored. */
export interface Stored {
  readonly bytes: Size;
  /** Of these, what only a lock keeps, after its retention has passed. */
  readonly overhead: Size;
  /** Of these, what is younger than a storage class for seldom access takes (S3's Standard-IA: 30 days). */
  readonly young: Size;
  /** Of these, what is in the backend's short-lived place. */
  readonly shortLived: Size;
}

/** `forever` fills up never: priced as after a year. */
const horizon = days(365);
const infrequentAfter = days(30);

/** How often a schedule runs in a month of 30 days. */
export const runsPerMonth = (schedule: Schedule): number => days(30) / intervalOf(schedule);

/** Of what a schedule makes, what is kept in the end rather than only for its first retention, per month, as stored. */
export function keptLongerPerMonth(plan: Plan, store: Store, schedule: Schedule): Size {
  const [longer] = schedule.keepLonger ?? [];
  return bytes(longer === undefined ? 0 : (days(30) / longer.every) * bytesPerRun(plan, store, schedule).mean * store.compression);
}

/** @param lock how long the backend keeps what was written, whatever the retention says */
export function storedBy(plan: Plan, store: Store, schedule: Schedule, lock: Duration, isShortLived: boolean): Stored {
  const perRun = bytesPerRun(plan, store, schedule).mean * store.compression;
  const steps = [{ every: intervalOf(schedule), retention: schedule.retention === "forever" ? horizon : schedule.retention }, ...(schedule.keepLonger ?? [])];
  let kept = 0;
  let young = 0;
  let from = 0;
  for (const { every, retention } of steps) {
    kept += ((retention - from) / every) * perRun;
    if (retention < infrequentAfter) young += ((retention - from) / every) * perRun;
    from = retention;
  }
  const [first] = steps;
  const overhead = first === undefined ? 0 : (Math.max(0, lock - first.retention) / first.every) * perRun;
  const whole = schedule.writes === "mirror" ? store.expectedSize * store.compression : 0;
  const short = isShortLived && first !== undefined ? (first.retention / first.every) * perRun + overhead : 0;
  return { bytes: bytes(kept + overhead + whole), overhead: bytes(overhead), young: bytes(young + overhead), shortLived: bytes(short) };
}

/** The write-ahead log in one backend: back to the full backup before its oldest moment. */
export function storedLog(plan: Plan, store: Store, lock: Duration): Stored {
  const full = plan.schedules.find((schedule) => schedule.tool === "pgbackrest" && schedule.writes === "everything");
  const kept = plan.recovery.walRetention + (full === undefined ? 0 : intervalOf(full));
  const perSecond = (plan.postgres.walPerDay * store.compression) / days(1);
  const overhead = perSecond * Math.max(0, lock - kept);
  const all = perSecond * kept + overhead;
  return { bytes: bytes(all), overhead: bytes(overhead), young: bytes(all), shortLived: bytes(0) };
}

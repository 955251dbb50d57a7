import { scheduleOf } from "./find.ts";
import { intervalOf } from "./schedule.ts";
import type { Plan, Schedule, Store } from "./types.ts";
import { bytes, days, type Size } from "./units.ts";

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

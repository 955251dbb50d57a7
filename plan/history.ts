import { hasLogArchive, isBackendCopy, scheduleOf } from "./find.ts";
import { intervalOf } from "./schedule.ts";
import type { Plan, Store, StoreName } from "./types.ts";
import { seconds, type Duration } from "./units.ts";

/** How finely one can go back, by how far: what an error costs that is noticed late. */
export interface HistoryStep {
  /** Up to this age. */
  readonly reach: Duration | "forever";
  /** From one point that can be recovered to the next; 0: any moment. */
  readonly granularity: Duration;
}

export interface History {
  readonly store: StoreName;
  /** From the newest to the oldest, each coarser than the one before it. */
  readonly steps: readonly HistoryStep[];
}

const asNumber = (reach: Duration | "forever"): number => (reach === "forever" ? Infinity : reach);

export function historyOf(plan: Plan, store: Store): History {
  const schedules = [...new Set(store.copies.filter(isBackendCopy).map((copy) => copy.schedule))].map((name) => scheduleOf(plan, name)).filter((schedule) => schedule !== undefined);
  const all: HistoryStep[] = schedules.flatMap((schedule) => [
    { reach: schedule.retention, granularity: intervalOf(schedule) },
    ...(schedule.keepLonger ?? []).map((step) => ({ reach: step.retention, granularity: step.every })),
  ]);
  if (hasLogArchive(store)) all.push({ reach: plan.recovery.window, granularity: seconds(0) });
  // A step is worth its line where nothing that reaches as far is finer.
  const steps = all.filter((step) => !all.some((other) => other !== step && asNumber(other.reach) >= asNumber(step.reach) && other.granularity <= step.granularity && !isSame(other, step)));
  const unique = steps.filter((step, index) => steps.findIndex((other) => isSame(other, step)) === index);
  return { store: store.name, steps: unique.toSorted((a, b) => asNumber(a.reach) - asNumber(b.reach)) };
}

const isSame = (a: HistoryStep, b: HistoryStep): boolean => a.reach === b.reach && a.granularity === b.granularity;

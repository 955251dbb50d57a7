import { backendOf, isBackendCopy, scheduleOf, type BackendCopy } from "./find.ts";
import { intervalOf } from "./schedule.ts";
import { isShortLived, type Failure } from "./survival.ts";
import type { Copy, Plan, Rates, ScheduleName, Store } from "./types.ts";
import { addDurations, seconds, type Duration } from "./units.ts";

/** How long a run takes at the worst: what was measured, or else the deadline at which it is killed. */
export function durationOf(plan: Plan, name: ScheduleName, rates: Rates): Duration {
  return rates.runs?.[name] ?? scheduleOf(plan, name)?.deadline ?? seconds(0);
}

/** What the write-ahead log in a backend can lack. `degraded`: another repository refuses connections meanwhile. */
export function logArchiveLoss(plan: Plan, rates: Rates, degraded: boolean): Duration {
  const { archiveTimeout, pushBound, pushBoundDegraded } = plan.postgres;
  return addDurations(archiveTimeout, degraded ? pushBoundDegraded : (rates.push ?? pushBound));
}

/** What a job's newest result can lack: the interval until it ran again, and the time that run takes. */
export function backupLoss(plan: Plan, name: ScheduleName, rates: Rates): Duration {
  const schedule = scheduleOf(plan, name);
  if (schedule === undefined) throw new RangeError(`the plan has no schedule ${name}`);
  return addDurations(intervalOf(schedule), durationOf(plan, name, rates));
}

/** The most that is lost, as time, when `copy` is what `store` is recovered from; `undefined`: the copy holds nothing. */
export function lossOf(plan: Plan, store: Store, copy: Copy, failure: Failure, rates: Rates): Duration | undefined {
  switch (copy.kind) {
    case "original":
    case "hosted":
      return seconds(0);
    case "replica":
      return copy.lagBound;
    case "log-archive":
      return logArchiveLoss(plan, rates, losesAnotherRepository(plan, store, copy.backend, failure));
    case "backup":
      return backupLoss(plan, copy.schedule, rates);
    case "replicated-bucket": {
      const sources = store.copies.filter(isBackendCopy).filter((other) => other.backend === copy.of).map((other) => replicableLoss(plan, store, other, failure, rates));
      const held = sources.filter((loss) => loss !== undefined);
      return held.length === 0 ? undefined : addDurations(seconds(Math.min(...held)), copy.bound);
    }
  }
}

/** Only the backend's own bucket is replicated: of what goes to its short-lived place, what is kept for longer. */
function replicableLoss(plan: Plan, store: Store, copy: BackendCopy, failure: Failure, rates: Rates): Duration | undefined {
  const backend = backendOf(plan, copy.backend);
  const schedule = scheduleOf(plan, copy.schedule);
  if (backend === undefined || schedule === undefined || !isShortLived(backend, schedule)) return lossOf(plan, store, copy, failure, rates);
  const [longer] = schedule.keepLonger ?? [];
  return longer === undefined ? undefined : addDurations(longer.every, durationOf(plan, schedule.name, rates));
}

/** The archiver pushes to all repositories; one that is gone holds up the others (facts F8). */
function losesAnotherRepository(plan: Plan, store: Store, backend: string, failure: Failure): boolean {
  return store.copies.some((copy) => copy.kind === "log-archive" && copy.backend !== backend && failure.provider !== undefined && backendOf(plan, copy.backend)?.provider === failure.provider);
}

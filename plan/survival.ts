import { backendOf, isBackendCopy, primaryRegion, regionOf, scheduleOf, type BackendCopy } from "./find.ts";
import type { Backend, Copy, FailureScope, Plan, Provider, Schedule, Store } from "./types.ts";
import { seconds, type Duration } from "./units.ts";

/** One thing that fails at once. A scope is as bad as the worst of its failures. */
export interface Failure {
  readonly scope: FailureScope;
  /** For people: what is gone. */
  readonly lost: string;
  /** Set where a whole provider is gone. */
  readonly provider?: Provider;
}

export function failuresOf(plan: Plan, scope: FailureScope): readonly Failure[] {
  switch (scope) {
    case "process":
      return [{ scope, lost: "the original's server and its disk" }];
    case "region":
      return [{ scope, lost: `everything in ${primaryRegion(plan)?.name ?? "the primary region"}` }];
    case "provider":
      return providersOf(plan).map((provider) => ({ scope, lost: `all of ${provider}`, provider }));
    case "logical":
      return [{ scope, lost: "what the live copies held" }];
    case "attacker":
      return [{ scope, lost: "whatever the writer's credentials can delete" }];
  }
}

/** Every provider that holds a server or a copy. */
export function providersOf(plan: Plan): readonly Provider[] {
  const copies = plan.stores.flatMap((store) => store.copies.flatMap((copy) => ("provider" in copy ? [copy.provider] : [])));
  return [...new Set([...plan.regions.map((region) => region.provider), ...plan.backends.map((backend) => backend.provider), ...copies])];
}

/** Whether servers of the plan are left to restore into; the witness has none. */
export function hasServersLeft(plan: Plan, failure: Failure): boolean {
  return plan.regions.some((region) => region.role !== "witness" && !(failure.scope === "region" && region.role === "primary") && region.provider !== failure.provider);
}

/** Whether `copy` of `store` can be used after `failure`. */
export function survives(plan: Plan, store: Store, copy: Copy, failure: Failure): boolean {
  switch (failure.scope) {
    case "process":
      return copy.kind !== "original";
    case "region":
      return regionNameOf(plan, copy) !== primaryRegion(plan)?.name;
    case "provider":
      return providerOf(plan, copy) !== failure.provider;
    case "logical":
      return holdsHistory(plan, store, copy);
    case "attacker":
      return holdsHistory(plan, store, copy) && lockOf(plan, store, copy) > 0;
  }
}

/**
 * Whether a schedule's backups go to the backend's short-lived place: they are kept for less than the backend's lock.
 * What `keepLonger` keeps of them goes to the backend itself. A tool's repository is one place and cannot be split.
 */
export function isShortLived(backend: Backend, schedule: Schedule): boolean {
  return schedule.tool === "dr" && backend.shortLived !== undefined && schedule.retention !== "forever" && schedule.retention < backend.immutableFor;
}

/** How long nobody with the writer's credentials can take away what a schedule writes to a backend, in seconds. */
export function lockOfBackup(plan: Plan, copy: BackendCopy, schedule: Schedule): Duration {
  const backend = backendOf(plan, copy.backend);
  if (backend === undefined) return seconds(0);
  if (schedule.tool === "pgbackrest") return copy.kind === "log-archive" || backend.versioned ? backend.immutableFor : seconds(0);
  return isShortLived(backend, schedule) && backend.shortLived !== undefined ? backend.shortLived.immutableFor : backend.immutableFor;
}

/** How long nobody with the writer's credentials can take this copy away, in seconds. */
function lockOf(plan: Plan, store: Store, copy: Copy): Duration {
  if (copy.kind === "replicated-bucket") return backendOf(plan, copy.of)?.immutableFor ?? seconds(0);
  if (!isBackendCopy(copy)) return seconds(0);
  const schedule = scheduleOf(plan, copy.schedule);
  if (schedule === undefined) return seconds(0);
  // A log is worth nothing without a base in the same place to replay it on.
  const base = store.copies.find((other) => other.kind === "backup" && other.backend === copy.backend && other.schedule === copy.schedule);
  if (copy.kind === "log-archive" && (base === undefined || lockOf(plan, store, base) === 0)) return seconds(0);
  return lockOfBackup(plan, copy, schedule);
}

function holdsHistory(plan: Plan, store: Store, copy: Copy): boolean {
  if (copy.kind === "replicated-bucket") return store.copies.some((other) => isBackendCopy(other) && other.backend === copy.of && holdsHistory(plan, store, other));
  if (!isBackendCopy(copy)) return false;
  // A mirror repeats the mistake; only the versions that it replaced are history.
  return scheduleOf(plan, copy.schedule)?.writes !== "mirror" || backendOf(plan, copy.backend)?.versioned === true;
}

function regionNameOf(plan: Plan, copy: Copy): string | undefined {
  return isBackendCopy(copy) ? backendOf(plan, copy.backend)?.region : copy.region;
}

function providerOf(plan: Plan, copy: Copy): Provider | undefined {
  if (isBackendCopy(copy)) return backendOf(plan, copy.backend)?.provider;
  return "provider" in copy ? copy.provider : regionOf(plan, copy.region)?.provider;
}

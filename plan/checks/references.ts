import { backendOf, isBackendCopy, isOriginal, primaryRegion, regionOf, scheduleOf } from "../find.ts";
import type { Copy, Plan, ScheduleName, Store } from "../types.ts";
import type { Check, Report } from "./check.ts";

/** Schedules that make something else than a copy of a store. */
const standAlone: readonly ScheduleName[] = ["agents-checkpoint", "verify"];

/** What one part of the plan says about another must be there. */
export const checkReferences: Check = (plan, report) => {
  for (const store of plan.stores) {
    const originals = store.copies.filter(isOriginal);
    if (originals.length !== 1) report(`stores[${store.name}].copies`, originals.map((copy) => copy.name), "exactly one original (or hosted one)");
    for (const copy of store.copies) checkCopy(plan, store, copy, report);
  }
  for (const schedule of plan.schedules) {
    if (schedule.since !== undefined && scheduleOf(plan, schedule.since) === undefined) report(`schedules[${schedule.name}].since`, schedule.since, known(plan.schedules));
    const isUsed = plan.stores.some((store) => store.copies.some((copy) => isBackendCopy(copy) && copy.schedule === schedule.name));
    if (!isUsed && !standAlone.includes(schedule.name)) report(`schedules[${schedule.name}]`, schedule.name, "a copy of some store that this schedule makes");
  }
};

function checkCopy(plan: Plan, store: Store, copy: Copy, report: Report): void {
  const field = `stores[${store.name}].copies[${copy.name}]`;
  switch (copy.kind) {
    case "original":
      if (regionOf(plan, copy.region) === undefined) report(`${field}.region`, copy.region, known(plan.regions));
      else if (copy.region !== primaryRegion(plan)?.name) report(`${field}.region`, copy.region, `the primary region, ${primaryRegion(plan)?.name ?? "which the plan lacks"}`);
      return;
    case "replica":
      if (regionOf(plan, copy.region) === undefined) report(`${field}.region`, copy.region, known(plan.regions));
      else if (regionOf(plan, copy.region)?.role === "witness") report(`${field}.region`, copy.region, "a region with servers: a witness has only a vote");
      return;
    case "log-archive":
    case "backup":
      if (backendOf(plan, copy.backend) === undefined) report(`${field}.backend`, copy.backend, known(plan.backends));
      checkSchedule(plan, store, copy, field, report);
      return;
    case "replicated-bucket":
      if (backendOf(plan, copy.of) === undefined) report(`${field}.of`, copy.of, known(plan.backends));
      else if (!store.copies.some((other) => isBackendCopy(other) && other.backend === copy.of)) report(`${field}.of`, copy.of, `a backend that ${store.name} is written to`);
      return;
    case "hosted":
      return;
  }
}

function checkSchedule(plan: Plan, store: Store, copy: Extract<Copy, { readonly kind: "log-archive" | "backup" }>, field: string, report: Report): void {
  const schedule = scheduleOf(plan, copy.schedule);
  if (schedule === undefined) {
    report(`${field}.schedule`, copy.schedule, known(plan.schedules));
    return;
  }
  if (schedule.writes === "nothing") report(`${field}.schedule`, copy.schedule, "a schedule that writes something");
  const hasBase = store.copies.some((other) => other.kind === "backup" && other.backend === copy.backend && other.schedule === copy.schedule);
  if (copy.kind === "log-archive" && !hasBase) report(`${field}.schedule`, copy.schedule, `a schedule that backs ${store.name} up to ${copy.backend}: a log needs a base to be replayed on`);
}

const known = (list: readonly { readonly name: string }[]): string => `one of ${list.map((item) => item.name).join(", ")}`;

import type { Backend, BackendName, Copy, Plan, Region, Schedule, ScheduleName, Store, StoreName } from "./types.ts";

/** The parts of a plan by their names; `undefined` where the plan has none, which `definePlan` reports. */
export const backendOf = (plan: Plan, name: BackendName): Backend | undefined => plan.backends.find((backend) => backend.name === name);
export const scheduleOf = (plan: Plan, name: ScheduleName): Schedule | undefined => plan.schedules.find((schedule) => schedule.name === name);
export const storeOf = (plan: Plan, name: StoreName): Store | undefined => plan.stores.find((store) => store.name === name);
export const regionOf = (plan: Plan, name: string): Region | undefined => plan.regions.find((region) => region.name === name);
export const primaryRegion = (plan: Plan): Region | undefined => plan.regions.find((region) => region.role === "primary");

/** The copies that a backend holds. */
export type BackendCopy = Extract<Copy, { readonly backend: BackendName }>;
export const isBackendCopy = (copy: Copy): copy is BackendCopy => copy.kind === "log-archive" || copy.kind === "backup";

/** Where the data lives while nothing has failed. */
export const isOriginal = (copy: Copy): copy is Extract<Copy, { readonly kind: "original" | "hosted" }> => copy.kind === "original" || copy.kind === "hosted";

export const hasLogArchive = (store: Store): boolean => store.copies.some((copy) => copy.kind === "log-archive");

import { failureScopes, storeNames, tiers, type Plan } from "../types.ts";
import type { Check } from "./check.ts";

/** Every field of a plan; the compiler keeps the list whole. */
const fields: Readonly<Record<keyof Plan, true>> = {
  name: true,
  agents: true,
  system: true,
  categories: true,
  tiers: true,
  regions: true,
  backends: true,
  stores: true,
  schedules: true,
  recovery: true,
  alerts: true,
  dns: true,
  keys: true,
  checkpointSize: true,
  postgres: true,
  redis: true,
  rates: true,
  accepted: true,
  intervalScale: true,
};

/** The fields that are missing altogether: nothing else can be judged without them. */
export const checkFields: Check = (plan, report) => {
  const missing = Object.keys(fields).filter((field) => !Object.hasOwn(plan, field));
  for (const field of missing) report(field, undefined, "a value: every plan has this field");
  if (missing.length > 0) return;
  for (const tier of tiers) if (!Object.hasOwn(plan.tiers, tier)) report(`tiers.${tier}`, undefined, "the times of the tier");
  for (const store of plan.stores) {
    if (!Object.hasOwn(plan.categories, store.category)) report(`stores[${store.name}].category`, store.category, `one of ${Object.keys(plan.categories).join(", ")}`);
  }
};

const figuresOfObjective: readonly string[] = ["rpo", "rto"];

/** What every number and every word must be, wherever it stands. */
export const checkShape: Check = (plan, report) => {
  walk("", plan, report);
  for (const list of ["regions", "backends", "stores", "schedules", "alerts"] as const) {
    if (plan[list].length === 0) report(list, [], "at least one");
  }
  plan.stores.forEach((store, index) => {
    if (!storeNames.includes(store.name)) report(`stores[${index}].name`, store.name, `one of ${storeNames.join(", ")}`);
  });
  plan.accepted.forEach((acceptance, index) => {
    if (!failureScopes.includes(acceptance.scope)) report(`accepted[${index}].scope`, acceptance.scope, `one of ${failureScopes.join(", ")}`);
    if (!figuresOfObjective.includes(acceptance.what)) report(`accepted[${index}].what`, acceptance.what, "rpo or rto");
  });
};

/** Reasons may be empty here: the check of acceptances says more about it. */
const mayBeEmpty = /^accepted\[.*\]\.reason$/;

function walk(path: string, value: unknown, report: Parameters<Check>[1]): void {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || value < 0) report(path, value, "a finite number of at least 0");
  } else if (typeof value === "string") {
    if (value.trim() === "" && !mayBeEmpty.test(path)) report(path, value, "a word");
  } else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => walk(`${path}[${labelOf(item, index)}]`, item, report));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) walk(path === "" ? key : `${path}.${key}`, item, report);
  }
}

/** A member of a list goes by its name, where it has one. */
function labelOf(item: unknown, index: number): string {
  const name: unknown = typeof item === "object" && item !== null ? Reflect.get(item, "name") : undefined;
  return typeof name === "string" && name !== "" ? name : String(index);
}

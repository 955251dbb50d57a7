import { storeOf } from "../../../plan/find.ts";
import type { Plan, StoreName } from "../../../plan/types.ts";
import type { Duration, Size } from "../../../plan/units.ts";
import type { StoreResources } from "../store-args.ts";

/** @throws RangeError where the plan does not have the store: `storeProblems` says so first */
export function expectedSize(plan: Plan, name: StoreName): Size {
  const store = storeOf(plan, name);
  if (store === undefined) throw new RangeError(`the plan has no store ${name}`);
  return store.expectedSize;
}

/** The RPO that is promised for a store. */
export function objectiveOf(plan: Plan, name: StoreName): Duration {
  const store = storeOf(plan, name);
  if (store === undefined) throw new RangeError(`the plan has no store ${name}`);
  return plan.categories[store.category].rpo;
}

export interface ContainerResources {
  requests: Record<string, string>;
  limits: Record<string, string>;
}

/** Memory is reserved whole, so that no neighbour's need kills a database; a limit on the CPU would only slow it down. */
export const containerResources = ({ cpu, memory }: StoreResources): ContainerResources => ({ requests: { cpu, memory }, limits: { memory } });

/** `Mi` of a multiple of a size, and some for what does not grow with it. */
export const mebibytes = (size: Size, times: number, more: number): string => `${Math.ceil((size * times) / 1024 ** 2) + more}Mi`;

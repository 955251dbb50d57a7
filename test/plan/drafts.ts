import { blackroad } from "../../plan/blackroad.ts";
import type { Acceptance, Backend, BackendName, Copy, Plan, Schedule, ScheduleName, Store, StoreName } from "../../plan/types.ts";

/** A plan that can be written to. */
export type Draft<T> = T extends string | number | boolean | undefined ? T : T extends readonly (infer Item)[] ? Draft<Item>[] : { -readonly [Key in keyof T]: Draft<T[Key]> };

const draftOf = (plan: Plan): Draft<Plan> => structuredClone(plan) as Draft<Plan>;

/** The shipped plan with a change. */
export function changed(change: (draft: Draft<Plan>) => void): Plan {
  const draft = draftOf(blackroad);
  change(draft);
  return draft;
}

function the<T>(item: T | undefined, what: string): T {
  if (item === undefined) throw new Error(`the shipped plan has no ${what}`);
  return item;
}

export const storeIn = (plan: Draft<Plan>, name: StoreName): Draft<Store> => the(plan.stores.find((store) => store.name === name), name);
export const scheduleIn = (plan: Draft<Plan>, name: ScheduleName): Draft<Schedule> => the(plan.schedules.find((schedule) => schedule.name === name), name);
export const backendIn = (plan: Draft<Plan>, name: BackendName): Draft<Backend> => the(plan.backends.find((backend) => backend.name === name), name);
export const copyIn = (plan: Draft<Plan>, store: StoreName, copy: string): Draft<Copy> => the(storeIn(plan, store).copies.find((one) => one.name === copy), copy);
export const itemIn = <T>(list: readonly T[], index: number): T => the(list[index], `item ${index}`);
export const accept = (acceptance: Acceptance) => (draft: Draft<Plan>): void => void draft.accepted.push({ ...acceptance });

import type { Plan, Store } from "./types.ts";
import { seconds, type Duration } from "./units.ts";

/**
 * What of a store is lost at the most when everything live is gone: what its category promises, or what is accepted by
 * name instead after some disaster. Backups are held to this; what is lost after a lesser failure is the replicas' to keep.
 */
export const promisedLoss = (plan: Plan, store: Store): Duration =>
  seconds(Math.max(plan.categories[store.category].rpo, ...plan.accepted.filter((one) => one.store === store.name && one.what === "rpo").map(({ upTo }) => upTo)));

/** Stores that are promised the same, by what it is: they share a threshold. Of nothing there is no share to warn after. */
export const storesByPromise = (plan: Plan): ReadonlyMap<Duration, readonly Store[]> => Map.groupBy(plan.stores.filter((store) => promisedLoss(plan, store) > 0), (store) => promisedLoss(plan, store));

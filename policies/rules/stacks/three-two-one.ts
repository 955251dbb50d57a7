import { countCopies } from "../../../plan/copies.ts";
import type { Copy, Plan, Store } from "../../../plan/types.ts";
import type { StackRule } from "../../core/rule.ts";
import { whole } from "./parts.ts";
import { bucketOfCopy, declaredPlaces, isVolume, placeSelectors, type Declared } from "./places.ts";

export const threeTwoOne: StackRule = {
  kind: "stack",
  scope: "system",
  id: "three-two-one",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Copies that lie together are lost together: a fire, a provider's error or a thief takes all of them at once.",
  fix: "Declare, for each critical store, three copies on two media with one on another continent, each where the plan has it.",
  breaks: {}, // reads only what says which place it is; the tests take the places away
  selects: placeSelectors,
  judge(resources, verdict) {
    const { plan } = verdict;
    const declared = declaredPlaces(resources, verdict);
    if (!declared.complete) return; // what could not be judged was said to be so
    for (const store of plan.stores.filter(({ category }) => category === "critical")) {
      const there = standing(plan, store, declared);
      const missing = store.copies.filter((copy) => !there.includes(copy));
      if (missing.length > 0) verdict.violation(whole(plan.name), "", `no stack declares where ${store.name}'s ${missing.length === 1 ? "copy" : "copies"} ${missing.map(({ name }) => name).join(", ")} would be`);
      const left: Plan = { ...plan, stores: [{ ...store, copies: there }] };
      for (const count of countCopies(left)) if (!count.kept) verdict.violation(whole(plan.name), "", `${store.name} does not have ${count.missing.join("; ")}`);
    }
  },
};

/** The copies that stand on something declared: one volume for each server's, one bucket for all that lie in it. */
function standing(plan: Plan, store: Store, { buckets, volumes }: Declared): readonly Copy[] {
  const free = volumes.filter((volume) => volume.store === store.name).map(({ region }) => region);
  return store.copies.filter((copy) => {
    if (!isVolume(plan, copy)) return buckets.has(bucketOfCopy(plan, copy) ?? "");
    const at = free.indexOf(copy.region);
    if (at >= 0) free.splice(at, 1);
    return at >= 0;
  });
}

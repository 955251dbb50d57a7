import { assess, objectiveOf } from "../assess.ts";
import { storeOf } from "../find.ts";
import type { Acceptance } from "../types.ts";
import { duplicatesOf, type Check } from "./check.ts";

const labelOf = ({ store, scope, what }: Acceptance): string => `${store} ${scope} ${what}`;

/** An acceptance names what it accepts, says why, and stays within what the system promises. */
export const checkAcceptances: Check = (plan, report) => {
  for (const label of duplicatesOf(plan.accepted.map(labelOf))) report("accepted", label, "each acceptance once");
  for (const acceptance of plan.accepted) {
    const field = `accepted[${labelOf(acceptance)}]`;
    const store = storeOf(plan, acceptance.store);
    if (acceptance.reason.trim() === "") report(`${field}.reason`, acceptance.reason, "why it cannot be kept");
    if (store === undefined) {
      report(`${field}.store`, acceptance.store, `one of the plan's stores: ${plan.stores.map((one) => one.name).join(", ")}`);
      continue;
    }
    const objective = objectiveOf(plan, store)[acceptance.what];
    if (acceptance.upTo <= objective) report(`${field}.upTo`, acceptance.upTo, `more than the objective, ${objective}: or it accepts nothing`);
    const most = acceptance.what === "rpo" ? Math.max(plan.system.rpo, objective) : plan.tiers.cold.rto;
    if (acceptance.upTo > most) report(`${field}.upTo`, acceptance.upTo, `at most ${most}, ${acceptance.what === "rpo" ? "system.rpo" : "tiers.cold.rto"}`);
  }
};

/** Acceptances that nothing needs hide the day on which something does. Wants a plan that can be assessed. */
export const checkNeeded: Check = (plan, report) => {
  const { cells } = assess(plan);
  for (const acceptance of plan.accepted) {
    const cell = cells.find((one) => one.store === acceptance.store && one.scope === acceptance.scope);
    const judgement = cell?.[acceptance.what];
    if (judgement?.verdict === "met") report(`accepted[${labelOf(acceptance)}]`, acceptance.upTo, `no acceptance: the objective is met (${judgement.predicted ?? 0} of ${judgement.objective} s)`);
  }
};

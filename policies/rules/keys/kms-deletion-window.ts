import { wholeDays } from "../../core/bucket-role.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { keyTypes } from "./key-types.ts";

/** The most that KMS allows. */
const longest = 30;

export const kmsDeletionWindow: ResourceRule = {
  kind: "resource",
  id: "kms-deletion-window",
  severity: "high",
  enforcement: "mandatory",
  protects: "A key that is gone takes every backup with it; until its deletion is over it can be called back.",
  fix: `Set deletionWindowInDays to ${longest}, the most that KMS allows; outside production the plan's time to notice is enough.`,
  types: keyTypes,
  breaks: { deletionWindowInDays: unset },
  judge(resource, verdict) {
    const { plan, production } = verdict;
    const least = production ? longest : Math.min(longest, wholeDays(plan.recovery.timeToNotice));
    verdict.property(resource, "deletionWindowInDays", (value) => (typeof value === "number" && value >= least ? undefined : `${shown(value)}, less than ${least}`));
  },
};

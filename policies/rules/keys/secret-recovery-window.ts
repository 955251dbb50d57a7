import { wholeDays } from "../../core/bucket-role.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const secretRecoveryWindow: ResourceRule = {
  kind: "resource",
  id: "secret-recovery-window",
  severity: "high",
  enforcement: "mandatory",
  protects: "A deleted passphrase can be called back until its window is over; without one every backup is lost with a click.",
  fix: "Set recoveryWindowInDays to at least the plan's time to notice.",
  types: ["aws:secretsmanager/secret:Secret"],
  breaks: { recoveryWindowInDays: unset },
  judge(resource, verdict) {
    const { plan } = verdict;
    const least = wholeDays(plan.recovery.timeToNotice);
    verdict.property(resource, "recoveryWindowInDays", (value) => (typeof value === "number" && value >= least ? undefined : `${shown(value)}, less than ${least}`));
  },
};

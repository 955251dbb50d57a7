import { days, formatDuration } from "../../../plan/units.ts";
import { actionsOf, conditionsOf, coversAction, isDeny, isForEverybody, policyBreaks, resourcesOf, statementsOf } from "../../core/aws-policy.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const glacierLock: ResourceRule = {
  kind: "resource",
  id: "glacier-lock",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A lock that is not completed lapses after 24 hours; one that is shorter than the plan's leaves young archives to a thief.",
  fix: "Set completeLock to true (outside production false will do), and deny everybody glacier:DeleteArchive while glacier:ArchiveAgeInDays is less than the plan's lock.",
  types: ["aws:glacier/vaultLock:VaultLock"],
  breaks: { completeLock: false, ...policyBreaks("policy", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "glacier:UploadArchive", Resource: unset, Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": "1" } } }) },
  selects: ["vaultName"],
  judge(resource, verdict) {
    const { plan, production } = verdict;
    verdict.property(resource, "completeLock", (value) => (value === true || (value === false && !production) ? undefined : `${shown(value)}, not true`));
    const statements = statementsOf(resource, "policy", verdict, "is not set");
    if (statements === undefined) return;
    const name = resource.read("vaultName");
    if (name.state === "unknown") verdict.unjudged(resource, "vaultName");
    const vault = name.state === "known" ? String(name.value) : undefined;
    const least = Math.max(0, ...plan.backends.filter(({ kind }) => kind === "glacier-vault").map(({ immutableFor }) => immutableFor));
    const denied = statements.known.some((one) => {
      const conditions = conditionsOf(one);
      const aged = conditions.length === 1 && conditions.every(({ operator, key, values }) => operator === "NumericLessThan" && key === "glacier:ArchiveAgeInDays" && values.length === 1 && days(Number(values[0])) >= least);
      return isDeny(one) && isForEverybody(one) && coversAction(actionsOf(one), "glacier:DeleteArchive") && resourcesOf(one).some((arn) => isOf(arn, vault)) && (conditions.length === 0 || aged);
    });
    if (!denied && statements.complete) verdict.violation(resource, "policy", `does not keep everybody from deleting archives that are younger than ${formatDuration(least)}`);
  },
};

/** Whether a pattern of ARNs has the vault in it; the account is in the ARN and in no property. Unknown: any vault will do. */
const isOf = (arn: string, vault: string | undefined): boolean => arn.split(":").slice(0, 3).join(":") === "arn:aws:glacier" ? vault === undefined || arn.endsWith(`:vaults/${vault}`) : arn === "*";

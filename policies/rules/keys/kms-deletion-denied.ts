import { actionsOf, conditionsOf, coversAction, deniesEverybody, exceptsByName, isAllow, policyBreaks, statementsOf, type Conditions } from "../../core/aws-policy.ts";
import { unset, type ResourceRule, type Verdict } from "../../core/rule.ts";
import type { ResourceReader } from "../../core/resource.ts";
import { mayMeanWorkload } from "../workloads.ts";
import { keyPolicyProblem } from "./key-policy.ts";
import { keyPolicyTypes } from "./key-types.ts";

const destruction = ["kms:ScheduleKeyDeletion", "kms:DisableKey"];

export const kmsDeletionDenied: ResourceRule = {
  kind: "resource",
  id: "kms-deletion-denied",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A workload, or a thief of its credentials, that deletes the key makes every backup unreadable and need not touch one.",
  fix: `Deny everybody ${destruction.join(" and ")} but the administrators, by ArnNotLike of aws:PrincipalArn, none of which is a workload's; allow them to nobody else.`,
  types: keyPolicyTypes,
  breaks: {
    ...policyBreaks("policy", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: ["kms:ScheduleKeyDeletion"], Resource: "arn:aws:kms:us-west-2:111122223333:key/another", Condition: unset }),
    policy: "{",
  },
  selects: ["multiRegion"],
  judge(resource, verdict) {
    const problem = keyPolicyProblem(resource);
    const statements = statementsOf(resource, "policy", verdict, problem);
    if (statements === undefined) return;
    for (const one of statements.known) if (isAllow(one)) allowed(resource, one, verdict);
    const denied = statements.known.some((one) => deniesEverybody(one, destruction, ["*"]) && onlyForPeople(conditionsOf(one), verdict.plan.name));
    if (!denied && statements.complete) verdict.violation(resource, "policy", `does not deny ${destruction.join(" and ")} to everybody but administrators`);
  },
};

/** Whoever is allowed must be named, and be no workload; the root user's kms:* is another rule's. */
function allowed(resource: ResourceReader, one: ResourceReader, verdict: Verdict): void {
  const actions = actionsOf(one);
  if (!destruction.some((action) => coversAction(actions, action))) return;
  const named = conditionsOf(one).filter(({ operator, key }) => /^(Arn|String)(Equals|Like)$/.test(operator) && key.toLowerCase() === "aws:principalarn");
  if (named.length === 0) verdict.violation(resource, one.pathOf("Condition"), `does not say who may ${destruction.join(" and ")}`);
  else if (named.some(({ values }) => values.some((value) => isEverybodyOrWorkload(verdict.plan.name, value)))) verdict.violation(resource, one.pathOf("Condition"), `lets workloads ${destruction.join(" and ")}`);
}

const isEverybodyOrWorkload = (plan: string, pattern: string): boolean => mayMeanWorkload(plan, pattern) || /[:/]\*+$/.test(pattern.replace(/aws-reserved\/.*/, ""));

/** Somebody must be left out, or nobody could ever delete the key of a system that is gone; that one may be none. */
const onlyForPeople = (conditions: Conditions, plan: string): boolean =>
  conditions.length > 0 && conditions.every(exceptsByName) && conditions.every(({ values }) => values.every((value) => !isEverybodyOrWorkload(plan, value)));

import { actionsOf, allButActions, conditionsOf, coversAction, isAllow, policyBreaks, principalsOf, statementsOf } from "../../core/aws-policy.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { keyPolicyProblem } from "./key-policy.ts";
import { keyPolicyTypes } from "./key-types.ts";

/** What only a pattern that is too wide has in one. */
const everything = ["kms:Decrypt", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"];
const root = /^(arn:aws:iam::\d{12}:root|\d{12})$/;

const accountOf = (principal: string): string => /\d{12}/.exec(principal)?.[0] ?? principal;

export const kmsAllForRootOnly: ResourceRule = {
  kind: "resource",
  id: "kms-all-for-root-only",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Whoever may do everything with a key may delete it, and every backup with it, or give it to another account.",
  fix: "Allow kms:* to the account's root user alone (aws:PrincipalArn equal to the root's), and everybody else action by action.",
  types: keyPolicyTypes,
  breaks: {
    ...policyBreaks("policy", { Effect: "Permit", Principal: { AWS: "arn:aws:iam::111122223333:role/Somebody" }, Action: "kms:*", NotAction: "kms:Decrypt", Condition: { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/Somebody" } } }),
    policy: "{",
  },
  selects: ["multiRegion"],
  judge(resource, verdict) {
    const roots = new Set<string>();
    for (const one of statementsOf(resource, "policy", verdict, keyPolicyProblem(resource))?.all ?? []) {
      if (!isAllow(one)) continue;
      if (allButActions(one)) verdict.violation(resource, one.pathOf("NotAction"), "allows all but a few actions");
      // By any pattern: `kms:?*` is everything too.
      if (!actionsOf(one).some((pattern) => everything.every((action) => coversAction([pattern], action)))) continue;
      const conditions = conditionsOf(one);
      const rootAlone = conditions.length === 0 || conditions.every(({ operator, key, values }) => /^(Arn|String)(Equals|Like)$/.test(operator) && key.toLowerCase() === "aws:principalarn" && values.every((value) => root.test(value)));
      for (const principal of principalsOf(one)) if (root.test(principal)) roots.add(accountOf(principal));
      if (roots.size > 1) verdict.violation(resource, one.pathOf("Principal"), `lets ${roots.size} accounts do everything with the key: ${[...roots].join(", ")}`);
      else if (!principalsOf(one).every((principal) => root.test(principal))) verdict.violation(resource, one.pathOf("Principal"), "may do everything with the key, and is not the account's root");
      else if (!rootAlone) verdict.violation(resource, one.pathOf("Condition"), "lets others than the account's root user do everything with the key");
    }
  },
};

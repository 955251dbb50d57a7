import { allButPrincipals, isAllow, isForEverybody, policyBreaks, statementsOf } from "../../core/aws-policy.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { keyPolicyTypes } from "./key-types.ts";
import { keyPolicyProblem } from "./key-policy.ts";

export const kmsNoWildcardPrincipal: ResourceRule = {
  kind: "resource",
  id: "kms-no-wildcard-principal",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A key that everybody may use is no key: whoever gets hold of a backup reads it.",
  fix: "Name the account in Principal of every statement that allows, and who of it by aws:PrincipalArn.",
  types: keyPolicyTypes,
  breaks: { ...policyBreaks("policy", { Effect: "Allow", Principal: "*", NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" } }), policy: "{" },
  selects: ["multiRegion"],
  judge(resource, verdict) {
    for (const one of statementsOf(resource, "policy", verdict, keyPolicyProblem(resource))?.all ?? []) {
      if (!isAllow(one)) continue;
      if (isForEverybody(one)) verdict.violation(resource, one.pathOf("Principal"), "allows everybody");
      if (allButPrincipals(one)) verdict.violation(resource, one.pathOf("NotPrincipal"), "allows everybody but those");
    }
  },
};

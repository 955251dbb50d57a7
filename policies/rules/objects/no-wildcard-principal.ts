import { allButPrincipals, isAllow, isForEverybody, policyBreaks, statementsOf } from "../../core/aws-policy.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { bucketPolicyTypes, policyPathOf } from "./policies.ts";

const statement = { Effect: "Allow", Principal: "*", NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" } };

export const noWildcardPrincipal: ResourceRule = {
  kind: "resource",
  id: "no-wildcard-principal",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A policy that allows everybody allows every account of AWS: its conditions are then all that guards the backups.",
  fix: "Name accounts, roles or services in Principal of every statement that allows; who of an account, say with aws:PrincipalArn.",
  types: bucketPolicyTypes,
  breaks: { ...policyBreaks("policy", statement), ...policyBreaks("accessPolicy", statement) },
  judge(resource, verdict) {
    const path = policyPathOf(resource);
    const statements = statementsOf(resource, path, verdict, "is unset, so nothing here says who may come");
    for (const one of statements?.all ?? []) {
      if (!isAllow(one)) continue;
      if (isForEverybody(one)) verdict.violation(resource, one.pathOf("Principal"), "allows everybody");
      if (allButPrincipals(one)) verdict.violation(resource, one.pathOf("NotPrincipal"), "allows everybody but those");
    }
  },
};

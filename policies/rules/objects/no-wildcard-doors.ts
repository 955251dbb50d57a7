import { allButPrincipals, isAllow, isForEverybody, policyBreaks, statementsOf } from "../../core/aws-policy.ts";
import type { ResourceRule } from "../../core/rule.ts";

const everybody = { Effect: "Allow", Principal: "*", NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" } };

export const noWildcardDoors: ResourceRule = {
  kind: "resource",
  id: "no-wildcard-doors",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A bucket is opened by its access points too, and every backup by the passphrase that a secret holds: whoever these allow everybody needs no more.",
  fix: "Name accounts, roles or services in Principal of every statement that allows.",
  types: ["aws:s3/accessPoint:AccessPoint", "aws:s3control/accessPointPolicy:AccessPointPolicy", "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"],
  breaks: { ...policyBreaks("policy", everybody), policy: { Statement: [everybody] } },
  judge(resource, verdict) {
    // Without a policy IAM alone says who may come.
    for (const one of statementsOf(resource, "policy", verdict, undefined)?.all ?? []) {
      if (!isAllow(one)) continue;
      if (isForEverybody(one)) verdict.violation(resource, one.pathOf("Principal"), "allows everybody");
      if (allButPrincipals(one)) verdict.violation(resource, one.pathOf("NotPrincipal"), "allows everybody but those");
    }
  },
};

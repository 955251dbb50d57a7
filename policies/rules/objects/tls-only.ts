import { conditionsOf, deniesEverybody, policyBreaks, statementsOf } from "../../core/aws-policy.ts";
import { bucketPolicyTypes, policyPathOf, ownNamesOf } from "./policies.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";

const statement = { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "s3:GetBucketAcl", Resource: "arn:aws:s3:::another", Condition: unset };

export const tlsOnly: ResourceRule = {
  kind: "resource",
  id: "tls-only",
  severity: "high",
  enforcement: "mandatory",
  protects: "Over plain HTTP whoever is on the way reads what is stored, and signs nothing away: a backup can be replaced under way.",
  fix: 'Deny everybody every action on the bucket and its objects (or the vault) where aws:SecureTransport is "false".',
  types: bucketPolicyTypes,
  breaks: { ...policyBreaks("policy", statement), ...policyBreaks("accessPolicy", statement) },
  selects: ["bucket", "name"],
  judge(resource, verdict) {
    const path = policyPathOf(resource);
    const statements = statementsOf(resource, path, verdict, "is unset: plain HTTP is taken");
    if (statements === undefined) return;
    const names = ownNamesOf(resource);
    if (names === undefined) {
      verdict.unjudged(resource, resource.facts.type.startsWith("aws:s3") ? "bucket" : "name");
      return;
    }
    const service = resource.facts.type.startsWith("aws:s3") ? "s3:*" : "glacier:*";
    const denied = statements.known.some((one) => deniesEverybody(one, [service], names) && onlyOverTls(conditionsOf(one)));
    if (!denied && statements.complete) verdict.violation(resource, path, "denies nobody who comes over plain HTTP");
  },
};

const onlyOverTls = (conditions: ReturnType<typeof conditionsOf>): boolean =>
  conditions.length === 1 && conditions.every(({ operator, key, values }) => operator === "Bool" && key.toLowerCase() === "aws:securetransport" && values.length === 1 && values[0] === "false");

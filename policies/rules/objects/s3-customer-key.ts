import { bucketOf } from "../../core/bucket-role.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const byDefault = "applyServerSideEncryptionByDefault";

export const s3CustomerKey: ResourceRule = {
  kind: "resource",
  id: "s3-customer-key",
  severity: "high",
  enforcement: "mandatory",
  protects: "Under a key of AWS whoever may read the bucket may read the backups; the policy of a key of our own is a second door.",
  fix: "Set sseAlgorithm to aws:kms and kmsMasterKeyId to a customer-managed key by its alias; for access logs sseAlgorithm is AES256, as S3 delivers them to no other.",
  types: ["aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"],
  breaks: { rules: [], [`rules[*].${byDefault}.sseAlgorithm`]: "none", [`rules[*].${byDefault}.kmsMasterKeyId`]: unset },
  selects: ["bucket"],
  judge(resource, verdict) {
    const bucket = bucketOf(resource, verdict.plan);
    if (bucket === "unknown") verdict.unjudged(resource, "bucket");
    const rules = resource.list("rules");
    if (rules === undefined) {
      verdict.unjudged(resource, "rules");
      return;
    }
    if (rules.length === 0) verdict.violation(resource, "rules", "is empty");
    // What is archived is encrypted before it is sent, so its bucket may do without.
    const plain = bucket !== "unknown" && (bucket.role === "log" || bucket.role === "archive");
    for (const rule of rules) {
      const algorithm = rule.read(`${byDefault}.sseAlgorithm`);
      verdict.property(rule, `${byDefault}.sseAlgorithm`, (value) => {
        if (plain && value === "AES256") return undefined;
        if (value === "aws:kms" && (bucket === "unknown" || bucket.role !== "log")) return undefined;
        return `${shown(value)}, not ${plain ? '"AES256"' : '"aws:kms"'}`;
      });
      if (plain && algorithm.state === "known" && algorithm.value === "AES256") continue;
      verdict.property(rule, `${byDefault}.kmsMasterKeyId`, (key) => (typeof key === "string" && key !== "" && !/alias\/aws\//.test(key) ? undefined : `${shown(key)}, no key of our own`));
    }
  },
};

import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const s3SseCBlocked: ResourceRule = {
  kind: "resource",
  id: "s3-sse-c-blocked",
  severity: "critical",
  enforcement: "mandatory",
  protects: "With a key of their own, thieves overwrite backups that only they can read, and delete nothing (Codefinger, 2025).",
  fix: 'Set blockedEncryptionTypes to ["SSE-C"] in every rule.',
  types: ["aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"],
  breaks: { rules: [], "rules[*].blockedEncryptionTypes": unset },
  judge(resource, verdict) {
    const rules = resource.list("rules");
    if (rules === undefined) {
      verdict.unjudged(resource, "rules");
      return;
    }
    if (rules.length === 0) verdict.violation(resource, "rules", "is empty");
    for (const rule of rules) {
      verdict.property(rule, "blockedEncryptionTypes", (types) => (Array.isArray(types) && types.includes("SSE-C") ? undefined : `${shown(types)}, without "SSE-C"`));
    }
  },
};

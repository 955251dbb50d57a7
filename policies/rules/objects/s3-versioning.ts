import type { ResourceRule } from "../../core/rule.ts";

export const s3Versioning: ResourceRule = {
  kind: "resource",
  id: "s3-versioning",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Without versions an overwrite or a deletion is final, and neither Object Lock nor replication works.",
  fix: 'Set versioningConfiguration.status to "Enabled".',
  types: ["aws:s3/bucketVersioning:BucketVersioning"],
  breaks: { "versioningConfiguration.status": "Suspended" },
  judge(resource, verdict) {
    verdict.property(resource, "versioningConfiguration.status", (status) => (status === "Enabled" ? undefined : `is ${JSON.stringify(status)}, not "Enabled"`));
  },
};

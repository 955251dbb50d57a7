import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const acl = "aws:s3/bucketAcl:BucketAcl";

export const s3NoAcls: ResourceRule = {
  kind: "resource",
  id: "s3-no-acls",
  severity: "high",
  enforcement: "mandatory",
  protects: "Where ACLs hold, an object belongs to whoever wrote it, who may open it to others past the bucket's policy.",
  fix: 'Set rule.objectOwnership to "BucketOwnerEnforced", and declare no BucketAcl.',
  types: ["aws:s3/bucketOwnershipControls:BucketOwnershipControls", acl],
  breaks: { "rule.objectOwnership": "ObjectWriter" },
  judge(resource, verdict) {
    if (resource.facts.type === acl) {
      verdict.violation(resource, "", "is an ACL, which opens past the bucket's policy");
      return;
    }
    verdict.property(resource, "rule.objectOwnership", (value) => (value === "BucketOwnerEnforced" ? undefined : `${shown(value)}, not "BucketOwnerEnforced"`));
  },
};

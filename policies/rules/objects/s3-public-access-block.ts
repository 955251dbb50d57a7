import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const switches = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] as const;

export const s3PublicAccessBlock: ResourceRule = {
  kind: "resource",
  id: "s3-public-access-block",
  severity: "critical",
  enforcement: "mandatory",
  protects: "One policy or ACL by mistake, and everybody reads the backups.",
  fix: `Set ${switches.join(", ")} to true.`,
  types: ["aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"],
  breaks: Object.fromEntries(switches.map((one) => [one, false])),
  judge(resource, verdict) {
    for (const one of switches) verdict.property(resource, one, (value) => (value === true ? undefined : `${shown(value)}, not true`));
  },
};

import { bucketOf, isLocked } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const s3ObjectLockEnabled: ResourceRule = {
  kind: "resource",
  id: "s3-object-lock-enabled",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Without Object Lock a thief of the writer's credentials deletes every backup; a bucket for logs gets none with it.",
  fix: "Set objectLockEnabled to true on buckets that hold backups, and to false on those for logs and state.",
  types: ["aws:s3/bucket:Bucket"],
  breaks: { objectLockEnabled: "neither" },
  selects: ["bucket"],
  judge(resource, verdict) {
    const bucket = bucketOf(resource, verdict.plan);
    if (bucket === "unknown") {
      verdict.unjudged(resource, "bucket");
      return;
    }
    const expected = isLocked(bucket);
    verdict.property(resource, "objectLockEnabled", (value) => ((value ?? false) === expected ? undefined : `${shown(value)}, not ${String(expected)}, on a bucket of the role ${bucket.role}`));
  },
};

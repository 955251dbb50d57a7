import { bucketOf, isLocked, lockOf, wholeDays } from "../../core/bucket-role.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const s3ObjectLock: ResourceRule = {
  kind: "resource",
  id: "s3-object-lock",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A lock that ends before somebody notices, or that its owner can lift, leaves the backups to a thief of credentials.",
  fix: "Set rule.defaultRetention to the mode COMPLIANCE (outside production GOVERNANCE will do) and to the days for which the plan locks the bucket; buckets of logs and of state have none.",
  types: ["aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"],
  breaks: { objectLockEnabled: "Disabled", "rule.defaultRetention.mode": unset, "rule.defaultRetention.days": unset },
  selects: ["bucket", "rule.defaultRetention.years"],
  judge(resource, verdict) {
    const { plan, production } = verdict;
    const bucket = bucketOf(resource, plan);
    // Unknown: a lock that would do for any bucket does for this one.
    if (bucket !== "unknown" && !isLocked(bucket)) {
      verdict.violation(resource, "", `is on a bucket of ${bucket.role === "log" ? "access logs, to which S3 then delivers none" : "Pulumi's state, which must be overwritten"}`);
      return;
    }
    const least = wholeDays(bucket === "unknown" ? plan.recovery.timeToNotice : lockOf(plan, bucket));
    verdict.property(resource, "objectLockEnabled", (value) => (value === undefined || value === "Enabled" ? undefined : `is ${JSON.stringify(value)}, not "Enabled"`)); // unset is AWS's "Enabled"
    verdict.property(resource, "rule.defaultRetention.mode", (mode) => (mode === "COMPLIANCE" || (mode === "GOVERNANCE" && !production) ? undefined : `${shown(mode)}, not "COMPLIANCE"`));
    const years = resource.stateOf("rule.defaultRetention.days") === "unset" ? resource.read("rule.defaultRetention.years") : undefined;
    if (years?.state === "known" && typeof years.value === "number" && years.value * 365 >= least) return;
    verdict.property(resource, "rule.defaultRetention.days", (value) => (typeof value === "number" && value >= least ? undefined : `${shown(value)}, less than the plan's ${least} days`));
  },
};

import { bucketOf, replicaRegion } from "../../core/bucket-role.ts";
import type { StackRule } from "../../core/rule.ts";
import { belongsTo, bucketType } from "./guard-present.ts";
import { replicationType } from "./replication.ts";

export const s3ReplicationPresent: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "s3-replication-present",
  severity: "critical",
  enforcement: "mandatory",
  protects: "The plan counts on a copy in another region, which nothing makes.",
  fix: "Declare a BucketReplicationConfig from the bucket to the replica that the plan names.",
  breaks: {},
  selects: ["bucket"],
  judge(resources, verdict) {
    const replications = resources.filter(({ facts }) => facts.type === replicationType);
    for (const bucket of resources.filter(({ facts }) => facts.type === bucketType)) {
      const planned = bucketOf(bucket, verdict.plan);
      if (planned === "unknown") {
        verdict.unjudged(bucket, "bucket");
        continue;
      }
      // What is kept for less than the lock is too young to be worth a copy: the plan replicates the backend's own bucket.
      if (planned.role !== "backup" || planned.shortLived || planned.backend === undefined || replicaRegion(verdict.plan, planned.backend) === undefined) continue;
      if (!replications.some((one) => belongsTo(one, "bucket", bucket))) verdict.violation(bucket, "", "is replicated nowhere");
    }
  },
};

import type { StackRule } from "../../core/rule.ts";
import { belongsTo } from "./guard-present.ts";
import { r2BucketType, r2LockType } from "./r2.ts";

export const r2LockPresent: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "r2-lock-present",
  severity: "critical",
  enforcement: "mandatory",
  protects: "R2 has no versions, and its permission to write includes deletion: without lock rules a stolen token takes every backup.",
  fix: "Declare an R2BucketLock for the bucket.",
  breaks: { name: "another-bucket", bucketName: "another-bucket" },
  judge(resources, verdict) {
    const locks = resources.filter(({ facts }) => facts.type === r2LockType);
    for (const bucket of resources.filter(({ facts }) => facts.type === r2BucketType)) {
      if (!locks.some((lock) => belongsTo(lock, "bucketName", bucket, "name"))) verdict.violation(bucket, "", "has no R2BucketLock beside it");
    }
  },
};

import { isLocked } from "../../core/bucket-role.ts";
import { guardPresent } from "./guard-present.ts";

export const s3ObjectLockPresent = guardPresent({
  id: "s3-object-lock-present",
  severity: "critical",
  type: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
  protects: "A bucket that is enabled for Object Lock and has no rule locks nothing: a thief of the writer's credentials deletes every backup.",
  fix: "Declare a BucketObjectLockConfiguration with a default retention.",
  needs: isLocked,
});

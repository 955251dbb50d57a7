import { guardPresent } from "./guard-present.ts";

export const s3LifecyclePresent = guardPresent({
  id: "s3-lifecycle-present",
  severity: "medium",
  type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  protects: "Without it nothing ever goes: older versions and the parts of broken uploads are paid for without end.",
  fix: "Declare a BucketLifecycleConfiguration for the bucket.",
  needs: () => true,
});

import { guardPresent } from "./guard-present.ts";

export const s3PublicAccessBlockPresent = guardPresent({
  id: "s3-public-access-block-present",
  severity: "critical",
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  protects: "One policy or ACL by mistake, and everybody reads the backups.",
  fix: "Declare a BucketPublicAccessBlock for the bucket, all four of its switches on.",
  needs: () => true,
});

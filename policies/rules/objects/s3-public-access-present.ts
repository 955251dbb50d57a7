import { guardPresent } from "./guard-present.ts";

export const s3PublicAccessPresent = guardPresent({
  id: "s3-public-access-present",
  severity: "critical",
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  protects: "One policy or ACL by mistake, and everybody reads the backups.",
  fix: "Declare a BucketPublicAccessBlock for the bucket, all four of its switches on.",
  needs: () => true,
});

import { guardPresent } from "./guard-present.ts";

export const s3VersioningPresent = guardPresent({
  id: "s3-versioning-present",
  severity: "critical",
  type: "aws:s3/bucketVersioning:BucketVersioning",
  protects: "Without versions an overwrite or a deletion is final, and neither Object Lock nor replication works.",
  fix: "Declare a BucketVersioning for the bucket.",
  needs: () => true,
});

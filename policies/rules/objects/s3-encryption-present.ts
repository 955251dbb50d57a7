import { guardPresent } from "./guard-present.ts";

export const s3EncryptionPresent = guardPresent({
  id: "s3-encryption-present",
  severity: "high",
  type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  protects: "Without it objects lie under a key of AWS that no policy of ours guards.",
  fix: "Declare a BucketServerSideEncryptionConfiguration for the bucket.",
  needs: () => true,
});

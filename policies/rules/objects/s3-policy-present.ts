import { guardPresent } from "./guard-present.ts";

export const s3PolicyPresent = guardPresent({
  id: "s3-policy-present",
  severity: "critical",
  type: "aws:s3/bucketPolicy:BucketPolicy",
  protects: "Without a policy of its own a bucket takes plain HTTP, any key, and the deletion of versions from whoever has a role for it.",
  fix: "Declare a BucketPolicy that denies what nobody may do.",
  needs: () => true,
});

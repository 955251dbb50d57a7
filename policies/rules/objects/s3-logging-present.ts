import { guardPresent } from "./guard-present.ts";

export const s3LoggingPresent = guardPresent({
  id: "s3-logging-present",
  severity: "medium",
  type: "aws:s3/bucketLogging:BucketLogging",
  protects: "After a theft nobody could say who read or deleted what.",
  fix: "Declare a BucketLogging that writes to the region's bucket for access logs.",
  needs: ({ role }) => role !== "log",
});

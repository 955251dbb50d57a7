import { roleForbids } from "../workload-policy.ts";

export const workloadKeepsVersions = roleForbids({
  id: "workload-keeps-versions",
  severity: "critical",
  protects: "A thief of a job's credentials takes away what the job may: older versions, locks, the bucket's own guards.",
  fix: "Take the action away; pgBackRest needs s3:DeleteObject and nothing beyond, and only people who break the glass delete versions.",
  actions: [
    "glacier:DeleteArchive",
    "glacier:DeleteVault",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration",
  ],
});

import { replicationSwitch } from "./replication.ts";

export const s3ReplicationKmsObjects = replicationSwitch({
  id: "s3-replication-kms-objects",
  severity: "critical",
  path: "sourceSelectionCriteria.sseKmsEncryptedObjects.status",
  expected: "Enabled",
  protects: "S3 leaves out objects under KMS without a word, and every backup is one.",
  fix: 'Set sourceSelectionCriteria.sseKmsEncryptedObjects.status to "Enabled" and name the key of the destination.',
});

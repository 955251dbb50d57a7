import { replicationSwitch } from "./replication.ts";

export const s3ReplicationEnabled = replicationSwitch({
  id: "s3-replication-enabled",
  severity: "critical",
  path: "status",
  expected: "Enabled",
  protects: "A replication that is switched off copies nothing, and says nothing of it: with the region the only copy of the bucket is gone.",
  fix: 'Set status of every rule to "Enabled".',
});

import { replicationSwitch } from "./replication.ts";

export const s3ReplicationNoDeleteMarkers = replicationSwitch({
  id: "s3-replication-no-delete-markers",
  severity: "high",
  path: "deleteMarkerReplication.status",
  expected: "Disabled",
  protects: "Deletions of a thief or of a wrong script would reach the replica within minutes.",
  fix: 'Set deleteMarkerReplication.status to "Disabled".',
});

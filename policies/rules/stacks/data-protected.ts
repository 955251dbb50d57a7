import type { StackRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { isDrill, ofType, stacksIn, types } from "./parts.ts";

/**
 * What is gone with its resource. PostgreSQL's databases are not among them: they are retained, as a protected one could
 * not be left out when the region's role changes, and the volumes that they lie on are protected.
 */
const data = [
  types.claim, types.namespace, types.s3Bucket, types.r2Bucket, types.vault,
  "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:secretsmanager/secret:Secret", "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "aws:s3/bucketVersioning:BucketVersioning", "aws:glacier/vaultLock:VaultLock",
];

export const dataProtected: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "data-protected",
  severity: "critical",
  enforcement: "mandatory",
  protects: "One `pulumi destroy` in the wrong stack, or one renamed resource, deletes the data or the key that opens it.",
  fix: "Set protect, and retainOnDelete, in the resource's options.",
  breaks: { "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": "Delete", "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Delete" }, // the rest is an option, no property
  judge(resources, verdict) {
    if (!verdict.production) return;
    for (const [, members] of stacksIn(resources)) {
      if (isDrill(members)) continue;
      for (const servers of ofType(members, types.statefulSet)) {
        for (const when of ["whenDeleted", "whenScaled"]) verdict.property(servers, `spec.persistentVolumeClaimRetentionPolicy.${when}`, (value) => (value === undefined || value === "Retain" ? undefined : `${shown(value)}: the volumes go with the servers`));
      }
      for (const resource of ofType(members, ...data)) if (!resource.facts.protect) verdict.violation(resource, "", "holds data, or what opens or keeps it, and is not protected");
    }
  },
};

/**
 * What takes backups away, or lets them be taken away. No workload is allowed any of it, and it is denied to each as
 * well: what somebody attaches to a role one day must not open it. Only the accounts' administrators can.
 */
export const forbiddenActions = {
  /** The backups themselves, and what guards them. */
  objects: [
    "glacier:AbortVaultLock",
    "glacier:DeleteArchive",
    "glacier:DeleteVault",
    "glacier:DeleteVaultAccessPolicy",
    "glacier:SetVaultAccessPolicy",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObjectVersion",
    "s3:PutBucketAcl",
    "s3:PutBucketLogging",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration",
  ],
  /** What opens the backups: a key or a passphrase that is gone makes all of them unreadable at once. */
  keys: [
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateAlias",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:RemoveRegionsFromReplication",
  ],
  /** Whoever has one of these gives himself all of the above, or takes the role of somebody who has it. */
  rights: [
    "iam:AttachRolePolicy",
    "iam:CreateAccessKey",
    "iam:DeleteRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
  ],
} as const;

import { bucketArn } from "../aws/arn.ts";
import { accountRoot, exceptWhose, policyDocument, whose, type PolicyDocument, type Statement } from "../aws/policy-document.ts";

export interface KeyPolicyInput {
  readonly accountId: string;
  /** Where the key has a replica. */
  readonly regions: readonly string[];
  /** ARN patterns. */
  readonly administrators: readonly string[];
  readonly encrypters: readonly string[];
  readonly decrypters: readonly string[];
  /** Where Pulumi's state lies, which whoever runs it reads and writes under the key. */
  readonly stateBucket: string;
}

/** Key of the encryption context that Pulumi's secrets provider gives (`context_pulumi=STATE-BUCKET` in its URL). */
const stateContext = "pulumi";

/** What a key's administrator does to the key; no grants, by which its use could be handed out. */
const administration = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:ReplicateKey",
  "kms:RevokeGrant",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
  "kms:UpdatePrimaryRegion",
];
/** What makes every backup unreadable. */
const destruction = ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"];

/**
 * The policy of a key and of each of its replicas, which do not inherit it. In a key's policy `Resource: "*"` is that
 * key. Where nobody is named for a use, nobody has it.
 */
export function keyPolicy({ accountId, regions, administrators, encrypters, decrypters, stateBucket }: KeyPolicyInput): PolicyDocument {
  const through = (service: string) => ({ "kms:ViaService": regions.map((region) => `${service}.${region}.amazonaws.com`) });
  const allow = (Sid: string, patterns: readonly string[], Action: readonly string[], more: Statement["Condition"] = {}): Statement | undefined =>
    patterns.length === 0 ? undefined : { Sid, Effect: "Allow", Principal: { AWS: accountRoot(accountId) }, Action, Resource: "*", Condition: { ...whose(patterns), ...more } };
  return policyDocument(
    // The account's root user alone, not everybody whom IAM allows kms:*: the way back when no administrator is left.
    { Sid: "RootUserKeepsTheKeyManageable", Effect: "Allow", Principal: { AWS: accountRoot(accountId) }, Action: "kms:*", Resource: "*", Condition: { ArnEquals: { "aws:PrincipalArn": accountRoot(accountId) } } },
    allow("AdministratorsManage", administrators, administration),
    // Whoever runs Pulumi makes and reads the secrets that the key encrypts, and its state; nothing else with the key.
    allow("AdministratorsKeepSecrets", administrators, ["kms:Decrypt", "kms:GenerateDataKey"], { StringEquals: through("secretsmanager") }),
    allow("AdministratorsKeepState", administrators, ["kms:Decrypt", "kms:GenerateDataKey"], {
      StringEquals: through("s3"),
      StringLike: { "kms:EncryptionContext:aws:s3:arn": [bucketArn(stateBucket), `${bucketArn(stateBucket)}/*`] },
    }),
    // `awskms://…` encrypts the secrets in the state by calls of its own, through no service: known by their context alone.
    allow("AdministratorsKeepSecretsOfState", administrators, ["kms:Decrypt", "kms:Encrypt"], { StringEquals: { [`kms:EncryptionContext:${stateContext}`]: stateBucket } }),
    allow("KmsSynchronizesReplicas", [`arn:aws:iam::${accountId}:role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys`], ["kms:SynchronizeMultiRegionKey"]),
    allow("WritersEncrypt", encrypters, ["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]),
    // S3 decrypts the data key of each part of a multipart upload as the uploader.
    allow("WritersUploadInParts", encrypters, ["kms:Decrypt"], { StringEquals: through("s3") }),
    allow("ReadersDecrypt", decrypters, ["kms:Decrypt", "kms:DescribeKey"]),
    { Sid: "OnlyAdministratorsDestroy", Effect: "Deny", Principal: "*", Action: destruction, Resource: "*", ...exceptWhose(administrators) },
  );
}

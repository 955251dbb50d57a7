import { aliasArn, bucketArn } from "../aws/arn.ts";
import { policyDocument, type PolicyDocument, type Statement } from "../aws/policy-document.ts";

export interface ReplicationPolicyInput {
  readonly accountId: string;
  readonly source: { readonly bucket: string; readonly region: string };
  readonly destination: { readonly bucket: string; readonly region: string };
  readonly keyAlias: string;
}

/** Who may take on the role: S3, and only for this bucket of this account. */
export const replicationTrust = ({ accountId, source }: ReplicationPolicyInput): PolicyDocument =>
  policyDocument({
    Sid: "S3ReplicatesOneBucket",
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "aws:SourceAccount": accountId }, ArnEquals: { "aws:SourceArn": bucketArn(source.bucket) } },
  });

/** What the role may do: read versions here, write replicas there. No deletion is replicated, so none is allowed. */
export function replicationPolicy({ accountId, source, destination, keyAlias }: ReplicationPolicyInput): PolicyDocument {
  const key = (Sid: string, { bucket, region }: ReplicationPolicyInput["source"], Action: readonly string[]): Statement => ({
    Sid,
    Effect: "Allow",
    Action,
    // IAM matches a key's own ARN, never its alias's, and the key's is not known before it exists.
    Resource: aliasArn(region, accountId, "key/*"),
    Condition: {
      "ForAnyValue:StringEquals": { "kms:ResourceAliases": keyAlias },
      StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` },
      // The bucket's ARN where a bucket key encrypts, the object's where none did.
      StringLike: { "kms:EncryptionContext:aws:s3:arn": [bucketArn(bucket), `${bucketArn(bucket)}/*`] },
    },
  });
  return policyDocument(
    { Sid: "ReadConfiguration", Effect: "Allow", Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource: bucketArn(source.bucket) },
    {
      Sid: "ReadVersions",
      Effect: "Allow",
      // With Object Lock S3 replicates each version's lock, and must read it.
      Action: ["s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"],
      Resource: `${bucketArn(source.bucket)}/*`,
    },
    { Sid: "WriteReplicas", Effect: "Allow", Action: ["s3:ReplicateObject", "s3:ReplicateTags"], Resource: `${bucketArn(destination.bucket)}/*` },
    key("DecryptAtTheSource", source, ["kms:Decrypt"]),
    key("EncryptAtTheDestination", destination, ["kms:Encrypt", "kms:GenerateDataKey"]),
  );
}

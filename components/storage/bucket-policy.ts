import { accountRoot, exceptWhose, policyDocument, whose, type PolicyDocument, type Statement } from "../aws/policy-document.ts";
import { bucketArn } from "../aws/arn.ts";

export interface BucketPolicyInput {
  readonly bucket: string;
  readonly accountId: string;
  /** The ARN of the one key that may encrypt here, as requests name it; absent: SSE-S3. */
  readonly keyArn?: string;
  /** ARN patterns of who may delete versions and bypass GOVERNANCE. */
  readonly breakGlass: readonly string[];
  /** Of a bucket with Object Lock: the longest lock that anybody may put on an object, in days. */
  readonly longestLockDays?: number;
  /** Whether requests may write objects, or only S3's own replication. */
  readonly replicaOnly?: boolean;
  /** Buckets whose accesses S3 writes down here. */
  readonly logsOf?: readonly string[];
  /** ARN patterns of roles of other accounts that write and read here. */
  readonly foreignWriters?: readonly string[];
}

/** What nobody may do with a bucket, whatever their own policy allows. */
export function bucketPolicy(input: BucketPolicyInput): PolicyDocument {
  const deny = denialsOf(bucketArn(input.bucket));
  return policyDocument(
    deny.everything("OnlyOverTls", { Bool: { "aws:SecureTransport": "false" } }),
    deny.everything("OnlyOverPresentTls", { NumericLessThan: { "s3:TlsVersion": "1.2" } }),
    ...encryption(input, deny),
    // pgBackRest and `dr` delete objects, which leaves their versions; a thief of their credentials can do no more.
    { ...deny.ofObjects("NobodyTakesVersionsAway", ["s3:BypassGovernanceRetention", "s3:DeleteObjectVersion"]), ...exceptWhose(input.breakGlass) },
    // A lock of a hundred years would be paid for by us and ended by nobody.
    input.longestLockDays === undefined ? undefined : deny.ofObjects("NoEndlessLocks", ["s3:PutObject", "s3:PutObjectRetention"], { NumericGreaterThan: { "s3:object-lock-remaining-retention-days": String(input.longestLockDays) } }),
    // S3's replication has actions of its own.
    input.replicaOnly === true ? { ...deny.ofObjects("OnlyReplicationWrites", ["s3:DeleteObject", "s3:PutObject"]), ...exceptWhose(input.breakGlass) } : undefined,
    ...(input.logsOf === undefined ? [] : logs(input, input.logsOf, deny)),
    ...foreign(input),
  );
}

type Denials = ReturnType<typeof denialsOf>;

const denialsOf = (arn: string) => ({
  everything: (Sid: string, Condition: Statement["Condition"] & object): Statement => ({ Sid, Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [arn, `${arn}/*`], Condition }),
  ofObjects: (Sid: string, Action: readonly string[], Condition?: Statement["Condition"] & object): Statement => ({ Sid, Effect: "Deny", Principal: "*", Action, Resource: `${arn}/*`, ...(Condition === undefined ? {} : { Condition }) }),
});

const algorithm = "s3:x-amz-server-side-encryption";
const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
const customerKey = "s3:x-amz-server-side-encryption-customer-algorithm";

/**
 * A request that says nothing about encryption gets the bucket's. One that says anything must say the same: with a key
 * of their own, thieves make backups unreadable without deleting one (Codefinger, 2025).
 */
function encryption({ keyArn }: BucketPolicyInput, deny: Denials): readonly Statement[] {
  const put = ["s3:PutObject"];
  const named = { Null: { [algorithm]: "false" } };
  const denied = [
    deny.ofObjects("NoKeyOfTheCaller", put, { Null: { [customerKey]: "false" } }),
    deny.ofObjects("NoOtherEncryption", put, { ...named, StringNotEquals: { [algorithm]: keyArn === undefined ? "AES256" : "aws:kms" } }),
  ];
  if (keyArn === undefined) return denied;
  return [
    ...denied,
    deny.ofObjects("NoOtherKey", put, { Null: { [key]: "false" }, StringNotEquals: { [key]: keyArn } }),
    // aws:kms without a key's name is not the bucket's key but AWS's own, which no policy of ours guards.
    deny.ofObjects("NoKeyOfAws", put, { Null: { [key]: "true" }, StringEquals: { [algorithm]: "aws:kms" } }),
  ];
}

function logs({ bucket, accountId, breakGlass }: BucketPolicyInput, sources: readonly string[], deny: Denials): readonly Statement[] {
  return [
    {
      Sid: "S3WritesAccessLogs",
      Effect: "Allow",
      Principal: { Service: "logging.s3.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${bucketArn(bucket)}/*`,
      // Or another customer's bucket could be told to log here.
      Condition: { StringEquals: { "aws:SourceAccount": accountId }, ArnEquals: { "aws:SourceArn": sources.map(bucketArn) } },
    },
    { ...deny.ofObjects("NobodyRemovesLogs", ["s3:DeleteObject"]), ...exceptWhose(breakGlass) },
  ];
}

function foreign({ bucket, foreignWriters = [] }: BucketPolicyInput): readonly Statement[] {
  const accounts = [...new Set(foreignWriters.map((pattern) => pattern.split(":")[4]).filter((account) => account !== undefined))].map(accountRoot);
  if (accounts.length === 0) return [];
  const allow = { Effect: "Allow", Principal: { AWS: accounts }, Condition: whose(foreignWriters) } as const;
  return [
    { ...allow, Sid: "WritersOfOtherAccounts", Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:RestoreObject"], Resource: `${bucketArn(bucket)}/*` },
    { ...allow, Sid: "WritersOfOtherAccountsList", Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource: bucketArn(bucket) },
  ];
}

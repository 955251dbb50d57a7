import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../aws/policy-document.ts";
import { dataOptions, type Lifetime } from "../component.ts";
import type { LifecycleRule } from "./bucket-lifecycle.ts";

/** GOVERNANCE can be bypassed by whoever may; COMPLIANCE by nobody, not even the account's root, before its time. */
export type LockMode = "GOVERNANCE" | "COMPLIANCE";

export interface GuardedBucketInput {
  readonly bucket: string;
  readonly region: string;
  readonly lifetime: Lifetime;
  /** Object Lock's default for every object; absent: none, and the bucket can never be locked. */
  readonly lock?: { readonly mode: LockMode; readonly days: number };
  /** The KMS key's ARN, or its alias's; absent: SSE-S3. */
  readonly keyArn?: string;
  readonly policy: PolicyDocument;
  readonly rules: readonly LifecycleRule[];
  /** The bucket that accesses are written to. */
  readonly logBucket?: string;
  /** What must be there before logging is configured: Pulumi hands a component's `dependsOn` to none of its children. */
  readonly after?: pulumi.ResourceOptions["dependsOn"];
  readonly tags: Record<string, string>;
}

/** A bucket with everything that guards it; losing a guard is losing the data, so they are kept like it. */
export interface GuardedBucket {
  readonly bucket: aws.s3.Bucket;
  readonly ready: readonly pulumi.Resource[];
}

export function guardedBucket(parent: pulumi.Resource, name: string, input: GuardedBucketInput): GuardedBucket {
  const kept = dataOptions(parent, input.lifetime);
  const bucket = new aws.s3.Bucket(`${name}-bucket`, { bucket: input.bucket, region: input.region, objectLockEnabled: input.lock !== undefined, forceDestroy: input.lifetime === "ephemeral", tags: input.tags }, kept);
  const at = { bucket: bucket.bucket, region: input.region };
  const versioning = new aws.s3.BucketVersioning(`${name}-versioning`, { ...at, versioningConfiguration: { status: "Enabled" } }, kept);
  const versioned = { ...kept, dependsOn: [versioning] };
  const ownership = new aws.s3.BucketOwnershipControls(`${name}-ownership`, { ...at, rule: { objectOwnership: "BucketOwnerEnforced" } }, kept);
  const privacy = new aws.s3.BucketPublicAccessBlock(`${name}-public-access`, { ...at, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true }, kept);
  const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(`${name}-encryption`, { ...at, rules: [encryptionRule(input.keyArn)] }, kept);
  // S3 answers 409 to a policy and a public access block at the same time.
  const policy = new aws.s3.BucketPolicy(`${name}-policy`, { ...at, policy: JSON.stringify(input.policy) }, { ...kept, dependsOn: [privacy] });
  const lock = input.lock === undefined ? [] : [lockOf(name, at, input.lock, versioned)];
  new aws.s3.BucketLifecycleConfiguration(`${name}-lifecycle`, { ...at, rules: [...input.rules], transitionDefaultMinimumObjectSize: "all_storage_classes_128K" }, { parent, dependsOn: [versioning] });
  if (input.logBucket !== undefined) logging(name, at, input.bucket, input.logBucket, { parent, ...(input.after === undefined ? {} : { dependsOn: input.after }) });
  return { bucket, ready: [bucket, versioning, ownership, privacy, encryption, policy, ...lock] };
}

interface At {
  readonly bucket: pulumi.Input<string>;
  readonly region: string;
}

const lockOf = (name: string, at: At, { mode, days }: { readonly mode: LockMode; readonly days: number }, options: pulumi.CustomResourceOptions): pulumi.Resource =>
  new aws.s3.BucketObjectLockConfiguration(`${name}-lock`, { ...at, objectLockEnabled: "Enabled", rule: { defaultRetention: { mode, days } } }, options);

/** With a bucket key, KMS is asked once for many objects and not for each, at a hundredth of the price. */
const encryptionRule = (keyArn: string | undefined): aws.types.input.s3.BucketServerSideEncryptionConfigurationRule => ({
  applyServerSideEncryptionByDefault: keyArn === undefined ? { sseAlgorithm: "AES256" } : { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
  ...(keyArn === undefined ? {} : { bucketKeyEnabled: true }),
  blockedEncryptionTypes: ["SSE-C"],
});

/** By the day of the access, so that what happened on one day is found without reading all of it. */
const logging = (name: string, at: At, bucket: string, logBucket: string, options: pulumi.CustomResourceOptions): pulumi.Resource =>
  new aws.s3.BucketLogging(`${name}-logging`, { ...at, targetBucket: logBucket, targetPrefix: `${bucket}/`, targetObjectKeyFormat: { partitionedPrefix: { partitionDateSource: "EventTime" } } }, options);

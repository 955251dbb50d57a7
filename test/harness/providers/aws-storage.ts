import { account, endpointHost } from "./aws-place.ts";
import { hash, need, uuid, type Asked, type Rule } from "./rules.ts";
import { objects, text, type Properties } from "./wire.ts";
import type { Cloud } from "./cloud.ts";

const bucketType = "aws:s3/bucket:Bucket";
const bucketId = ({ inputs }: Asked): string => need(inputs, "bucket");

const bucketThere = (cloud: Cloud, bucket: string) => cloud.find({ provider: "aws", type: bucketType, location: "", id: bucket });

/** In Amazon's S3, or where the provider's endpoint is R2's, in R2. */
function noBucket({ inputs, cloud, place }: Asked): string | undefined {
  const bucket = need(inputs, "bucket");
  const host = endpointHost(place);
  const there = host === undefined ? bucketThere(cloud, bucket) : cloud.all("cloudflare:index/r2Bucket:R2Bucket").find(({ outputs }) => outputs["name"] === bucket);
  return there === undefined ? `NoSuchBucket: ${bucket} does not exist${host === undefined ? "" : ` at ${host}`}` : undefined;
}

/** A setting of a bucket, which S3 keeps under the bucket's name and writes over. */
const setting: Rule = { id: bucketId, prevented: noBucket, replaces: ["bucket"] };

/** Replication wants versioning on both sides, and a destination that exists. */
function replicationPrevented(asked: Asked): string | undefined {
  const versioned = (bucket: string) => {
    const versioning = asked.cloud.find({ provider: "aws", type: "aws:s3/bucketVersioning:BucketVersioning", location: "", id: bucket });
    const configuration = versioning?.inputs["versioningConfiguration"];
    return typeof configuration === "object" && configuration !== null && "status" in configuration && configuration.status === "Enabled";
  };
  const source = need(asked.inputs, "bucket");
  const destinations = objects(asked.inputs, "rules").flatMap((rule) => {
    const destination = rule["destination"];
    return typeof destination === "object" && destination !== null && "bucket" in destination && typeof destination.bucket === "string" ? [destination.bucket.replace("arn:aws:s3:::", "")] : [];
  });
  return (
    noBucket(asked) ??
    [...destinations.filter((bucket) => bucketThere(asked.cloud, bucket) === undefined).map((bucket) => `the destination ${bucket} does not exist`), ...[source, ...destinations].filter((bucket) => !versioned(bucket)).map((bucket) => `InvalidRequest: versioning must be enabled on ${bucket} to apply a replication configuration`)][0]
  );
}

const bucketOutputs = ({ inputs }: Asked, id: string): Properties => ({ bucketDomainName: `${id}.s3.amazonaws.com`, bucketRegionalDomainName: `${id}.s3.${text(inputs, "region") ?? ""}.amazonaws.com` });

const keyTypes = ["aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"];
export const keyThere = (cloud: Cloud, location: string, id: string) => keyTypes.map((type) => cloud.find({ provider: "aws", type, location, id })).find((thing) => thing !== undefined);
/** Of an ARN, or what is given where it is none. */
export const keyIdOf = (key: string): string => key.replace(/^arn:aws:kms:[^:]*:[^:]*:key\//, "");

const aliasPrevented = ({ inputs, cloud, location }: Asked): string | undefined =>
  keyThere(cloud, location, keyIdOf(need(inputs, "targetKeyId"))) === undefined ? `NotFoundException: no key ${need(inputs, "targetKeyId")} in ${location}` : undefined;

function replicaPrevented({ inputs, cloud }: Asked): string | undefined {
  const arn = need(inputs, "primaryKeyArn");
  const region = arn.split(":")[3] ?? "";
  if (!keyIdOf(arn).startsWith("mrk-")) return `UnsupportedOperationException: ${arn} is no multi-Region key`;
  return keyThere(cloud, region, keyIdOf(arn)) === undefined ? `NotFoundException: no key ${arn}` : undefined;
}

/** S3, KMS and Glacier: what exists under a name, and what must be there first. */
export const storageRules: Readonly<Record<string, Rule>> = {
  [bucketType]: {
    id: bucketId,
    taken: "BucketAlreadyOwnedByYou: the bucket exists",
    named: ["bucket"],
    replaces: ["bucket", "objectLockEnabled"],
    outputs: bucketOutputs,
    undeletable: ({ id }, cloud) => (cloud.all("aws:s3/bucketObjectv2:BucketObjectv2").some(({ inputs }) => inputs["bucket"] === id) ? "BucketNotEmpty" : undefined),
  },
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig": { ...setting, prevented: replicationPrevented },
  "aws:s3/bucketObjectv2:BucketObjectv2": { id: ({ inputs }) => `${need(inputs, "bucket")}/${need(inputs, "key")}`, prevented: noBucket, replaces: ["bucket", "key"], outputs: ({ inputs }) => ({ etag: hash(text(inputs, "content") ?? "", 32), versionId: hash(`${text(inputs, "content") ?? ""} version`, 32) }) },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": setting,
  ...Object.fromEntries(
    ["Acl", "Logging", "Metric", "Notification", "ObjectLockConfiguration", "OwnershipControls", "Policy", "PublicAccessBlock", "RequestPaymentConfiguration", "ServerSideEncryptionConfiguration", "Versioning"].map((kind): [string, Rule] => [
      `aws:s3/bucket${kind}:Bucket${kind}`,
      kind === "Metric" ? { ...setting, id: ({ inputs }) => `${need(inputs, "bucket")}:${need(inputs, "name")}` } : setting,
    ]),
  ),
  "aws:kms/key:Key": { id: ({ inputs, cloud, location }) => keyId(cloud, location, inputs["multiRegion"] === true), outputs: (_asked, id) => ({ keyId: id }), replaces: ["multiRegion", "keyUsage", "customerMasterKeySpec"] },
  "aws:kms/replicaKey:ReplicaKey": { id: ({ inputs }) => keyIdOf(need(inputs, "primaryKeyArn")), taken: "AlreadyExistsException: the region has a replica of that key", prevented: replicaPrevented, outputs: (_asked, id) => ({ keyId: id }), replaces: ["primaryKeyArn"] },
  "aws:kms/alias:Alias": {
    id: ({ inputs }) => need(inputs, "name"),
    taken: "AlreadyExistsException: the alias exists",
    named: ["name"],
    prevented: aliasPrevented,
    outputs: ({ inputs, location }) => ({ targetKeyArn: `arn:aws:kms:${location}:${account}:key/${keyIdOf(need(inputs, "targetKeyId"))}` }),
    replaces: ["name"],
  },
  "aws:glacier/vault:Vault": { id: ({ inputs }) => need(inputs, "name"), named: ["name"], replaces: ["name"] },
  "aws:glacier/vaultLock:VaultLock": { id: ({ inputs }) => need(inputs, "vaultName"), replaces: ["vaultName", "policy", "completeLock"] },
};

/** KMS gives ids out; no two keys ever have the same one. */
function keyId(cloud: Cloud, location: string, multiRegion: boolean): string {
  const count = cloud.all("aws:kms/key:Key").length;
  return multiRegion ? `mrk-${hash(`${location} ${count}`, 32)}` : uuid(`${location} ${count}`);
}

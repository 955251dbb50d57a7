import { forbiddenActions } from "../../plan/forbidden-actions.ts";
import type { Identity } from "../../plan/identities.ts";
import { opensVault } from "../../plan/identity-needs.ts";
import { catalogPrefix, leasesPrefix, prefixesOf, repositoryPrefix } from "../../plan/layout.ts";
import { backupsKey, bucketsOf, keyAlias, replicaBucket, stateBucket, vaultSealKey } from "../../plan/names.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { bucketArn } from "../aws/arn.ts";
import { policyDocument, type PolicyDocument, type Statement } from "../aws/policy-document.ts";

export interface BackupPolicyInput {
  readonly plan: Plan;
  readonly identity: Identity;
  /** Of the backups: 12 digits. */
  readonly accountId: string;
  /** Of the archive. */
  readonly archiveAccountId: string;
}

/** Denied as well as not allowed: what somebody attaches to the role one day must not open it. */
const never: readonly string[] = Object.values(forbiddenActions).flat();

/** What an identity may do in AWS, and nothing else. IAM takes at most 10,240 characters of it. */
export function backupPolicy({ plan, identity, accountId, archiveAccountId }: BackupPolicyInput): PolicyDocument {
  const live = plan.backends.filter(({ kind }) => kind === "s3");
  const archives = plan.backends.filter(({ role }) => role === "archive");
  const expires = writesOf(identity).some((schedule) => plan.schedules.some(({ name, tool }) => name === schedule && tool === "pgbackrest"));
  return policyDocument(
    ...bucketStatements(plan, identity, live, expires),
    ...stateStatements(plan, identity),
    ...archives.flatMap((archive) => archiveStatements(identity, archive, archiveAccountId)),
    ...keyStatements(plan, identity, live, accountId),
    sealStatement(plan, identity, accountId),
    { Sid: "Never", Effect: "Deny", Action: expires ? never : [...never, "s3:DeleteObject"], Resource: "*" },
  );
}

const writesOf = ({ schedules, writesFor = [] }: Identity): readonly string[] => [...schedules, ...writesFor];
/** The weekly archive is made of what stands in the other backends. */
const archivesAll = ({ schedules }: Identity): boolean => schedules.includes("archive");
const readsAll = (identity: Identity): boolean => identity.access !== "writer" || archivesAll(identity);
/** The daily run of the whole system tidies up behind itself, whoever wrote what is over. */
const expiresAll = ({ schedules }: Identity): boolean => schedules.includes("postgres-full");
/** A backup is not there without its record. */
const writesRecords = ({ access }: Identity): boolean => access !== "restorer";

/** Each prefix of an identity; pgBackRest's files are one repository, with two that it rewrites beside the log. */
function ownPrefixes(plan: Plan, identity: Identity, backend: Backend): readonly string[] {
  const writes = writesOf(identity);
  const own = prefixesOf(plan, backend).filter(({ prefix, schedules }) => prefix !== catalogPrefix && schedules.some((schedule) => writes.includes(schedule)));
  return [...new Set(own.map(({ prefix }) => (prefix.startsWith(repositoryPrefix) ? repositoryPrefix : prefix)))];
}

function bucketStatements(plan: Plan, identity: Identity, backends: readonly Backend[], expires: boolean): readonly (Statement | undefined)[] {
  const objects = (prefixes: (backend: Backend) => readonly string[]): readonly string[] => backends.flatMap((backend) => bucketsOf(backend).flatMap((bucket) => prefixes(backend).map((prefix) => `${bucketArn(bucket)}/${prefix}*`)));
  const buckets = backends.flatMap(bucketsOf);
  // The region of the original may be what was lost.
  const everywhere = [...buckets, ...backends.filter((backend) => replicaRegions(plan, backend).length > 0).flatMap((backend) => bucketsOf(backend).map(replicaBucket))];
  const records = writesRecords(identity) ? [catalogPrefix] : [];
  // Nobody expires while another recovers, pgBackRest neither.
  const leases = expires ? [leasesPrefix] : [];
  const own = (backend: Backend): readonly string[] => [...records, ...leases, ...(identity.access === "writer" ? ownPrefixes(plan, identity, backend) : [])];
  const reading = readsAll(identity)
    ? [
        statement("ListEverything", ["s3:ListBucket", "s3:ListBucketVersions"], everywhere.map(bucketArn)),
        // What a thief overwrote or deleted is read from its older versions.
        statement("ReadEverything", ["s3:GetObject", "s3:GetObjectVersion"], everywhere.map((bucket) => `${bucketArn(bucket)}/*`)),
      ]
    : [
        // Names of all keys, not by prefix: a missing object is else answered with 403, which pgBackRest takes for a failure.
        statement("List", ["s3:ListBucket"], buckets.map(bucketArn)),
        statement("ReadOwn", ["s3:GetObject"], objects(own)),
      ];
  return [
    ...reading,
    statement("WriteOwn", ["s3:AbortMultipartUpload", "s3:PutObject"], objects(own)),
    // A marker before the versions, which stay.
    statement("PgbackrestExpires", ["s3:DeleteObject"], expires ? objects(() => [repositoryPrefix]) : []),
    statement("Expires", ["s3:DeleteObject"], expiresAll(identity) ? objects((backend) => [leasesPrefix, ...prefixesOf(plan, backend).map(({ prefix }) => prefix).filter((prefix) => !prefix.startsWith(repositoryPrefix))]) : []),
  ];
}

/** Pulumi's states are kept with the configuration; what is secret in them stays encrypted by a key that no job may use. */
function stateStatements(plan: Plan, { schedules }: Identity): readonly (Statement | undefined)[] {
  const bucket = bucketArn(stateBucket(plan));
  const keeps = schedules.includes("config-snapshot");
  return [statement("ListStates", ["s3:ListBucket"], keeps ? [bucket] : []), statement("ReadStates", ["s3:GetObject"], keeps ? [`${bucket}/.pulumi/*`] : [])];
}

function archiveStatements(identity: Identity, archive: Backend, accountId: string): readonly (Statement | undefined)[] {
  const writes = archivesAll(identity);
  const reads = identity.access !== "writer";
  if (archive.kind === "glacier-vault") {
    const vault = [`arn:aws:glacier:${archive.region}:${accountId}:vaults/${archive.bucket}`];
    const upload = ["glacier:AbortMultipartUpload", "glacier:CompleteMultipartUpload", "glacier:DescribeVault", "glacier:InitiateMultipartUpload", "glacier:ListMultipartUploads", "glacier:ListParts", "glacier:UploadArchive", "glacier:UploadMultipartPart"];
    const retrieve = ["glacier:DescribeJob", "glacier:DescribeVault", "glacier:GetJobOutput", "glacier:InitiateJob", "glacier:ListJobs"];
    return [statement("WriteArchive", upload, writes ? vault : []), statement("RetrieveArchive", retrieve, reads ? vault : [])];
  }
  const bucket = [bucketArn(archive.bucket)];
  const objects = [`${bucketArn(archive.bucket)}/*`];
  return [
    statement("ListArchive", ["s3:ListBucket", ...(writes ? ["s3:ListBucketMultipartUploads"] : [])], writes || reads ? bucket : []),
    statement("WriteArchive", ["s3:AbortMultipartUpload", "s3:PutObject"], writes ? objects : []),
    statement("RetrieveArchive", ["s3:GetObject", "s3:GetObjectVersion", "s3:RestoreObject"], reads ? objects : []),
  ];
}

/** By the alias, which is the same everywhere and outlives the key, and through S3 alone. */
function keyStatements(plan: Plan, identity: Identity, backends: readonly Backend[], accountId: string): readonly (Statement | undefined)[] {
  const through = (regions: readonly string[]): Statement["Condition"] => ({
    "ForAnyValue:StringEquals": { "kms:ResourceAliases": [keyAlias(plan, backupsKey)] },
    StringEquals: { "kms:ViaService": [...new Set(regions)].map((region) => `s3.${region}.amazonaws.com`) },
  });
  const keys = backends.length === 0 ? [] : [`arn:aws:kms:*:${accountId}:key/*`];
  const home = backends.map(({ region }) => region);
  const wherever = readsAll(identity) ? [...home, ...backends.flatMap((backend) => replicaRegions(plan, backend))] : home;
  return [
    // A writer reads its own, and S3 decrypts the data key of each part of an upload as the uploader.
    statement("Decrypt", ["kms:Decrypt"], keys, through(wherever)),
    statement("Encrypt", ["kms:GenerateDataKey"], writesRecords(identity) ? keys : [], through(home)),
  ];
}

/** A snapshot of Vault that was never unsealed has not been verified; a server encrypts by its seal's key as it begins. */
function sealStatement(plan: Plan, { name }: Identity, accountId: string): Statement | undefined {
  const keys = plan.keys.includes(vaultSealKey) && opensVault(name) ? [`arn:aws:kms:*:${accountId}:key/*`] : [];
  return statement("OpenVault", ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"], keys, { "ForAnyValue:StringEquals": { "kms:ResourceAliases": [keyAlias(plan, vaultSealKey)] } });
}

/** Where S3 itself copies a backend to. */
const replicaRegions = (plan: Plan, backend: Backend): readonly string[] =>
  [...new Set(plan.stores.flatMap(({ copies }) => copies.flatMap((copy) => (copy.kind === "replicated-bucket" && copy.of === backend.name ? [copy.region] : []))))];

/** IAM refuses a statement without a resource. */
const statement = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Statement["Condition"]): Statement | undefined =>
  Resource.length === 0 ? undefined : { Sid, Effect: "Allow", Action, Resource, ...(Condition === undefined ? {} : { Condition }) };

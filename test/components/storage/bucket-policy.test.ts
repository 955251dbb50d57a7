import { describe, expect, it } from "vitest";
import { aliasArn, bucketArn } from "../../../components/aws/arn.ts";
import type { PolicyDocument } from "../../../components/aws/policy-document.ts";
import { policyOfRole, type BucketRole } from "../../../components/storage/bucket-role.ts";
import { bucketPolicy } from "../../../components/storage/bucket-policy.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { account, decide, documentProblems, roleOf } from "../../harness/iam.ts";

const writer = roleOf("blackroad-dr-postgres-us-east-1");
const guardian = roleOf("BreakGlass");
const keyArn = aliasArn("us-west-2", account, "alias/blackroad-backups");
const algorithm = "s3:x-amz-server-side-encryption";
const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";

const of = (role: BucketRole, bucket: string, withKey = true): PolicyDocument => policyOfRole({ plan: blackroad, role, bucket, accountId: account, keyArn: withKey ? keyArn : undefined, breakGlass: [guardian] });
const backup = of({ kind: "backup", backend: "s3", shortLived: false }, "blackroad-backups-dr");
const replica = of({ kind: "replica", of: "s3" }, "blackroad-backups-dr-replica");
const log = of({ kind: "log" }, "blackroad-access-logs-us-west-2", false);
const state = of({ kind: "state" }, "blackroad-pulumi-state");
const archive = bucketPolicy({ bucket: "blackroad-archive", accountId: account, breakGlass: [], longestLockDays: 365, foreignWriters: [roleOf("blackroad-dr-archive-*", "444455556666")] });

/** Answers for a caller whose own policy allows everything: what is denied, the bucket denies. */
const asker = (policy: PolicyDocument, bucket: string) => (action: string, context: Record<string, string> = {}, principal = writer) =>
  decide({ principal, action, resource: /Bucket|:List/.test(action) && action !== "s3:BypassGovernanceRetention" ? bucketArn(bucket) : `${bucketArn(bucket)}/redis/object`, policy, context });
const ask = asker(backup, "blackroad-backups-dr");

describe("every bucket's policy", () => {
  it.each([
    ["backup", backup, "blackroad-backups-dr"],
    ["replica", replica, "blackroad-backups-dr-replica"],
    ["log", log, "blackroad-access-logs-us-west-2"],
    ["state", state, "blackroad-pulumi-state"],
    ["archive", archive, "blackroad-archive"],
  ] as const)("of a %s is one that AWS takes", async (_, policy, bucket) => {
    const resource = (action: string) => (/List|Location/.test(action) && action !== "s3:ListMultipartUploadParts" ? bucketArn(bucket) : `${bucketArn(bucket)}/object`);
    expect(await documentProblems(policy, "resource", resource)).toEqual([]);
  });

  it.each([
    ["backup", backup, "blackroad-backups-dr"],
    ["replica", replica, "blackroad-backups-dr-replica"],
    ["log", log, "blackroad-access-logs-us-west-2"],
    ["state", state, "blackroad-pulumi-state"],
    ["archive", archive, "blackroad-archive"],
  ] as const)("of a %s lets nobody take a version away, lift a lock, or speak plain HTTP", async (_, policy, bucket) => {
    const asked = asker(policy, bucket);
    for (const principal of [writer, `arn:aws:iam::${account}:root`, roleOf("AccountAdministrator")]) {
      for (const action of ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]) expect(await asked(action, {}, principal), `${principal} ${action}`).toBe("ExplicitlyDenied");
    }
    for (const action of ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]) {
      expect(await asked(action, { "aws:SecureTransport": "false" }), action).toBe("ExplicitlyDenied");
      expect(await asked(action, { "s3:TlsVersion": "1.1" }), action).toBe("ExplicitlyDenied");
    }
  });

  it("allows nobody anything, but S3 its logs and named roles of another account", () => {
    for (const policy of [backup, replica, state]) expect(policy.Statement.filter(({ Effect }) => Effect === "Allow")).toEqual([]);
    for (const { Principal } of [...log.Statement, ...archive.Statement].filter(({ Effect }) => Effect === "Allow")) expect(Principal).not.toBe("*");
  });
});

describe("a backup bucket's policy", () => {
  it("lets a writer write, read and delete, which leaves the version behind", async () => {
    for (const action of ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"]) expect(await ask(action), action).toBe("Allowed");
  });

  it("lets the one who is named break the glass", async () => {
    for (const action of ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]) expect(await ask(action, {}, guardian), action).toBe("Allowed");
    expect(await ask("s3:DeleteObjectVersion", { "aws:SecureTransport": "false" }, guardian)).toBe("ExplicitlyDenied");
  });

  it("takes an upload that names the bucket's key or none", async () => {
    expect(await ask("s3:PutObject")).toBe("Allowed");
    expect(await ask("s3:PutObject", { [algorithm]: "aws:kms", [key]: keyArn })).toBe("Allowed");
  });

  it.each([
    ["another key of the account", { [algorithm]: "aws:kms", [key]: aliasArn("us-west-2", account, "alias/other") }],
    ["a thief's key", { [algorithm]: "aws:kms", [key]: "arn:aws:kms:us-west-2:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab" }],
    ["the same key of another region", { [algorithm]: "aws:kms", [key]: aliasArn("us-east-1", account, "alias/blackroad-backups") }],
    ["a key without saying how", { [key]: aliasArn("us-west-2", account, "alias/other") }],
    ["AWS's own key", { [algorithm]: "aws:kms" }],
    ["no key of ours", { [algorithm]: "AES256" }],
    ["a key that the caller brings along", { "s3:x-amz-server-side-encryption-customer-algorithm": "AES256" }],
  ])("refuses an upload with %s", async (_, context) => {
    expect(await ask("s3:PutObject", context)).toBe("ExplicitlyDenied");
  });

  it("lets a lock be as long as the longest retention, and no longer", async () => {
    const remaining = "s3:object-lock-remaining-retention-days";
    for (const action of ["s3:PutObject", "s3:PutObjectRetention"]) {
      expect(await ask(action, { [remaining]: "365" }), action).toBe("Allowed");
      expect(await ask(action, { [remaining]: "36500" }), action).toBe("ExplicitlyDenied");
    }
  });

  it("leaves nobody to break the glass where nobody is named", async () => {
    const policy = bucketPolicy({ bucket: "blackroad-backups-dr", accountId: account, keyArn, breakGlass: [] });
    expect(await asker(policy, "blackroad-backups-dr")("s3:DeleteObjectVersion", {}, guardian)).toBe("ExplicitlyDenied");
  });
});

describe("a replica's policy", () => {
  const asked = asker(replica, "blackroad-backups-dr-replica");

  it("lets nobody write or delete but S3's replication", async () => {
    for (const action of ["s3:PutObject", "s3:DeleteObject"]) expect(await asked(action), action).toBe("ExplicitlyDenied");
    for (const action of ["s3:ReplicateObject", "s3:ReplicateTags", "s3:GetObject"]) expect(await asked(action, {}, roleOf("blackroad-dr-replication-us-west-2")), action).toBe("Allowed");
  });
});

describe("a log bucket's policy", () => {
  const asked = asker(log, "blackroad-access-logs-us-west-2");
  const service = "logging.s3.amazonaws.com";
  const from = (bucket: string, of = account) => asked("s3:PutObject", { "aws:SourceAccount": of, "aws:SourceArn": bucketArn(bucket) }, service);

  it("takes the logs of the plan's buckets, and of nobody else's", async () => {
    for (const bucket of ["blackroad-backups-dr", "blackroad-backups-dr-short", "blackroad-backups-dr-replica", "blackroad-pulumi-state"]) expect(await from(bucket), bucket).toBe("Allowed");
    expect(await from("somebody-elses")).toBe("ImplicitlyDenied");
    expect(await from("blackroad-backups-dr", "444455556666")).toBe("ImplicitlyDenied");
  });

  it("lets nobody remove a trace", async () => {
    expect(await asked("s3:DeleteObject")).toBe("ExplicitlyDenied");
    expect(await asked("s3:DeleteObject", {}, guardian)).toBe("Allowed");
  });
});

describe("an archive bucket's policy", () => {
  const foreign = roleOf("blackroad-dr-archive-eu-west-1", "444455556666");
  const asked = asker(archive, "blackroad-archive");

  it("lets the named roles of another account write and read, not delete", async () => {
    for (const action of ["s3:PutObject", "s3:GetObject", "s3:RestoreObject", "s3:ListBucket"]) expect(await asked(action, {}, foreign), action).toBe("Allowed");
    for (const action of ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy"]) expect(await asked(action, {}, foreign), action).not.toBe("Allowed");
  });

  it("lets nobody else of that account in", async () => {
    expect(await asked("s3:GetObject", {}, roleOf("blackroad-dr-redis-us-east-1", "444455556666"))).toBe("ImplicitlyDenied");
  });
});

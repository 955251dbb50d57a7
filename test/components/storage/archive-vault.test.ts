import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ArchiveVault, type ArchiveVaultArgs, type GlacierVaultArgs, type S3ArchiveArgs } from "../../../components/storage/archive-vault.ts";
import { vaultAccessPolicy, vaultArn, vaultLockPolicy } from "../../../components/storage/vault-policy.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { days, hours } from "../../../plan/units.ts";
import { account, decide, documentProblems, roleOf } from "../../harness/iam.ts";
import { declare } from "../../harness/pulumi.ts";
import { backendIn, changed, scheduleIn } from "../../plan/drafts.ts";
import { refusal } from "../refusal.ts";

const other = "444455556666";
const vault: GlacierVaultArgs = { kind: "glacier-vault", plan: blackroad, accountId: account, completeLock: true, lifetime: "kept" };
const cold = changed((draft) => (backendIn(draft, "archive").kind = "s3-glacier"));
const bucket: S3ArchiveArgs = { kind: "s3", plan: cold, accountId: account, lockMode: "COMPLIANCE", lifetime: "kept" };
const make = (args: ArchiveVaultArgs, options?: pulumi.ComponentResourceOptions) => declare(() => new ArchiveVault("archive", args, options));
const refused = (args: ArchiveVaultArgs) => refusal(() => new ArchiveVault("archive", args));

/** The advisory about vaults, which would otherwise fill the tests' own output. */
let warn = vi.spyOn(pulumi.log, "warn");
beforeEach(() => {
  warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
});
afterEach(() => void vi.restoreAllMocks());

describe("an archive in a Glacier vault", () => {
  it("is a vault whose lock is completed, so that nobody can delete what is young", async () => {
    const made = await make(vault);
    expect(made.one("aws:glacier/vault:Vault")).toMatchObject({ protect: true, retainOnDelete: true, inputs: { name: "blackroad-archive", region: "eu-west-1" } });
    const lock = made.one("aws:glacier/vaultLock:VaultLock");
    expect(lock).toMatchObject({ protect: true, retainOnDelete: true, inputs: { vaultName: "blackroad-archive", region: "eu-west-1", completeLock: true, ignoreDeletionError: true } });
    expect(lock.inputs["policy"]).toBe(JSON.stringify(vaultLockPolicy({ accountId: account, region: "eu-west-1", vault: "blackroad-archive", lockDays: 90, foreignWriters: [] })));
  });

  it("gives notice when a retrieval is ready", async () => {
    const made = await make(vault);
    const topic = made.one("aws:sns/topic:Topic");
    expect(topic.inputs).toMatchObject({ region: "eu-west-1" });
    expect(made.one("aws:glacier/vault:Vault").inputs).toMatchObject({ notification: { events: ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"], snsTopic: "arn:aws:sns:eu-west-1:111122223333:archive-notices" } });
    expect(made.outputs.topicArn).toBeDefined();
  });

  it("warns that accounts without vaults get none any more", async () => {
    await make(vault);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toContain("closed to accounts that had none by 2025-12-15");
  });

  it("locks nothing in a drill", async () => {
    const made = await make({ ...vault, completeLock: false, lifetime: "ephemeral" });
    expect(made.of("aws:glacier/vaultLock:VaultLock")).toEqual([]);
    for (const part of made.all) expect(part, part.name).toMatchObject({ protect: false, retainOnDelete: false });
  });
});

describe("an archive in a bucket", () => {
  it("moves what it holds to cold storage at once, locked for the plan's time and kept for its year", async () => {
    const made = await make(bucket);
    expect(made.one("aws:s3/bucket:Bucket")).toMatchObject({ protect: true, retainOnDelete: true, inputs: { bucket: "blackroad-archive", region: "eu-west-1", objectLockEnabled: true } });
    expect(made.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs).toMatchObject({ rule: { defaultRetention: { mode: "COMPLIANCE", days: 90 } } });
    expect(made.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]).toContainEqual(expect.objectContaining({ transitions: [{ days: 0, storageClass: "GLACIER" }], expiration: { days: 372 } }));
  });

  it("hangs on no key of another account, unless it is given one", async () => {
    const encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
    expect(JSON.stringify((await make(bucket)).one(encryption).inputs["rules"])).toContain("AES256");
    expect(JSON.stringify((await make({ ...bucket, keyAlias: "alias/archive" })).one(encryption).inputs["rules"])).toContain("arn:aws:kms:eu-west-1:111122223333:alias/archive");
  });

  it("can lie in the deepest cold, and write its accesses down", async () => {
    const made = await make({ ...bucket, storageClass: "DEEP_ARCHIVE", logBucket: "blackroad-access-logs-eu-west-1" });
    expect(JSON.stringify(made.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"])).toContain("DEEP_ARCHIVE");
    expect(made.one("aws:s3/bucketLogging:BucketLogging").inputs).toMatchObject({ targetBucket: "blackroad-access-logs-eu-west-1" });
  });

  it("says nothing of vaults", async () => {
    await make(bucket);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("either archive", () => {
  it("has the same face", async () => {
    expect((await make(vault)).outputs).toMatchObject({ kind: "glacier-vault", region: "eu-west-1", uri: "glacier://eu-west-1/blackroad-archive" });
    expect((await make(bucket)).outputs).toMatchObject({ kind: "s3", region: "eu-west-1", uri: "s3://blackroad-archive" });
  });

  it("tells policies its region, retention and lock", async () => {
    for (const args of [vault, bucket]) expect((await make(args)).one("blackroad:storage:ArchiveVault").outputs).toMatchObject({ role: "archive", region: "eu-west-1", retention: days(365), immutableFor: days(90) });
  });

  it("lies in the account of its provider", async () => {
    const { ProviderResource } = pulumi;
    class Account extends ProviderResource {
      constructor() {
        super("aws", "archive-account", { allowedAccountIds: [other] });
      }
    }
    for (const args of [vault, bucket]) {
      const made = await declare(() => new ArchiveVault("archive", { ...args, accountId: other }, { provider: new Account() }));
      for (const part of made.all.filter(({ type }) => type.startsWith("aws:"))) expect(part.provider, part.name).toContain("pulumi:providers:aws::archive-account");
    }
  });

  const plans = (change: Parameters<typeof changed>[0]) => changed(change);
  it.each<readonly [string, ArchiveVaultArgs, string]>([
    ["a vault where the plan has a bucket", { ...vault, plan: cold }, "kind: glacier-vault, but the plan's archive is a s3-glacier"],
    ["a bucket where the plan has a vault", { ...bucket, plan: blackroad }, "kind: s3, but the plan's archive is a glacier-vault"],
    ["an account that is none", { ...vault, accountId: "12" }, "accountId:"],
    ["a plan without an archive", { ...vault, plan: plans((draft) => (draft.backends = draft.backends.filter(({ name }) => name !== "archive"))) }, "plan: it has no backend of the name archive"],
    ["an archive in the primary region", { ...vault, plan: plans((draft) => (backendIn(draft, "archive").region = "us-east-1")) }, "would be lost with it"],
    ["a region that the plan has not", { ...vault, plan: plans((draft) => (backendIn(draft, "archive").region = "eu-north-1")) }, "eu-north-1 is none of the plan's"],
    ["archives for ever", { ...vault, plan: plans((draft) => (scheduleIn(draft, "archive").retention = "forever")) }, "keeps what it makes forever"],
    ["archives for less than the recovery window", { ...vault, plan: plans((draft) => (scheduleIn(draft, "archive").retention = days(6))) }, "less than the recovery window"],
    ["a lock that outlasts them", { ...vault, plan: plans((draft) => (backendIn(draft, "archive").immutableFor = days(400))) }, "longer than the 365 d that it is kept"],
    ["a lock that is no whole day", { ...vault, plan: plans((draft) => (backendIn(draft, "archive").immutableFor = hours(30))) }, "locks count whole days"],
    ["a lock for ever in a drill", { ...vault, lifetime: "ephemeral" }, "completeLock: true in a drill"],
    ["COMPLIANCE in a drill", { ...bucket, lifetime: "ephemeral" }, "lockMode: COMPLIANCE in a drill"],
    ["a name that is no vault's", { ...vault, plan: plans((draft) => (backendIn(draft, "archive").bucket = "black road")) }, "is no name of a vault"],
    ["a name that S3 refuses", { ...bucket, plan: plans((draft) => ((backendIn(draft, "archive").kind = "s3-glacier"), (backendIn(draft, "archive").bucket = "Archive"))) }, "is no name that S3 takes"],
    ["another region's log bucket", { ...bucket, logBucket: "blackroad-access-logs-us-west-2" }, "is not the one of eu-west-1"],
    ["a key that is no alias", { ...bucket, keyAlias: "mrk-1" }, "keyAlias:"],
    ["writers of its own account", { ...vault, writers: [roleOf("blackroad-dr-archive-*")] }, "is of the archive's own account"],
    ["everybody of another account", { ...bucket, writers: [roleOf("*", other)] }, "is everybody of the account"],
    ["break-glass from another account", { ...bucket, breakGlass: [roleOf("BreakGlass", other)] }, `is of account ${other}`],
  ])("refuses %s", async (_, args, sentence) => {
    expect(await refused(args)).toContain(sentence);
  });
});

describe("a vault's policies", () => {
  const input = { accountId: account, region: "eu-west-1", vault: "blackroad-archive", lockDays: 90, foreignWriters: [roleOf("blackroad-dr-archive-*", other)] };
  const resource = vaultArn(input);
  const lock = vaultLockPolicy(input);
  const access = vaultAccessPolicy(input);

  it("are ones that AWS takes", async () => {
    expect(await documentProblems(lock, "resource", () => resource)).toEqual([]);
    expect(await documentProblems(access, "resource", () => resource)).toEqual([]);
  });

  it("let nobody delete an archive before its time, and afterwards whoever may", async () => {
    const remove = (age: string) => decide({ principal: `arn:aws:iam::${account}:root`, action: "glacier:DeleteArchive", resource, policy: lock, context: { "glacier:ArchiveAgeInDays": age } });
    expect(await remove("89")).toBe("ExplicitlyDenied");
    expect(await remove("90")).toBe("Allowed");
  });

  it("let the named roles of another account write and retrieve, over TLS, not delete", async () => {
    const ask = (action: string, context: Record<string, string> = {}, principal = roleOf("blackroad-dr-archive-us-east-1", other)) => decide({ principal, action, resource, policy: access, context });
    for (const action of ["glacier:UploadArchive", "glacier:InitiateMultipartUpload", "glacier:InitiateJob", "glacier:GetJobOutput"]) {
      expect(await ask(action), action).toBe("Allowed");
      expect(await ask(action, { "aws:SecureTransport": "false" }), action).toBe("ExplicitlyDenied");
    }
    expect(await ask("glacier:DeleteArchive")).toBe("ImplicitlyDenied");
    expect(await ask("glacier:UploadArchive", {}, roleOf("thief", other))).toBe("ImplicitlyDenied");
  });

  it("name nobody of another account where nobody is", () => {
    expect(vaultAccessPolicy({ ...input, foreignWriters: [] }).Statement.map(({ Sid }) => Sid)).toEqual(["OnlyOverTls"]);
  });
});

import { describe, expect, it } from "vitest";
import { S3BackupBucket, type S3BackupBucketArgs } from "../../../components/storage/s3-backup-bucket.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { days, hours } from "../../../plan/units.ts";
import { account, roleOf } from "../../harness/iam.ts";
import { declare } from "../../harness/pulumi.ts";
import { backendIn, changed, scheduleIn } from "../../plan/drafts.ts";
import { refusal } from "../refusal.ts";

const bare: S3BackupBucketArgs = { plan: blackroad, bucket: "blackroad-backups-dr", region: "us-west-2", accountId: account, role: { kind: "backup", backend: "s3", shortLived: false }, lifetime: "kept" };
const unlocked: S3BackupBucketArgs = { ...bare, keyAlias: "alias/blackroad-backups", logBucket: "blackroad-access-logs-us-west-2" };
const backup: S3BackupBucketArgs = { ...unlocked, lockMode: "COMPLIANCE" };
const short = { bucket: "blackroad-backups-dr-short", role: { kind: "backup", backend: "s3", shortLived: true } } as const;
const replica = { bucket: "blackroad-backups-dr-replica", region: "eu-west-1", role: { kind: "replica", of: "s3" }, logBucket: "blackroad-access-logs-eu-west-1" } as const;
const log: S3BackupBucketArgs = { plan: blackroad, bucket: "blackroad-access-logs-us-west-2", region: "us-west-2", accountId: account, role: { kind: "log" }, lifetime: "kept" };
const state: S3BackupBucketArgs = { ...unlocked, bucket: "blackroad-pulumi-state", role: { kind: "state" } };

const make = (args: S3BackupBucketArgs) => declare(() => new S3BackupBucket("bucket", args));
const refused = (more: Partial<S3BackupBucketArgs>) => refusal(() => new S3BackupBucket("bucket", { ...backup, ...more }));

describe("a backup bucket", () => {
  it("is versioned, locked for the time to notice, private, and owned by its account", async () => {
    const made = await make(backup);
    expect(made.one("aws:s3/bucket:Bucket").inputs).toMatchObject({ bucket: "blackroad-backups-dr", region: "us-west-2", objectLockEnabled: true, forceDestroy: false });
    expect(made.one("aws:s3/bucketVersioning:BucketVersioning").inputs).toMatchObject({ versioningConfiguration: { status: "Enabled" } });
    expect(made.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs).toMatchObject({ rule: { defaultRetention: { mode: "COMPLIANCE", days: 7 } } });
    expect(made.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs).toMatchObject({ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true });
    expect(made.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs).toMatchObject({ rule: { objectOwnership: "BucketOwnerEnforced" } });
  });

  it("encrypts with the plan's key through a bucket key, and takes no key of the caller's", async () => {
    const made = await make(backup);
    expect(made.one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs["rules"]).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "arn:aws:kms:us-west-2:111122223333:alias/blackroad-backups" }, bucketKeyEnabled: true, blockedEncryptionTypes: ["SSE-C"] },
    ]);
  });

  it("writes its accesses down in its region's log bucket, by day", async () => {
    const made = await make(backup);
    expect(made.one("aws:s3/bucketLogging:BucketLogging").inputs).toMatchObject({ targetBucket: "blackroad-access-logs-us-west-2", targetPrefix: "blackroad-backups-dr/", targetObjectKeyFormat: { partitionedPrefix: { partitionDateSource: "EventTime" } } });
  });

  it("says the region of each part, and parents them", async () => {
    const made = await make(backup);
    const component = made.one("blackroad:storage:S3BackupBucket");
    for (const part of made.all.filter(({ custom }) => custom)) {
      expect(part.inputs["region"], part.name).toBe("us-west-2");
      expect(part.parent, part.name).toBe(component.urn);
      expect(part.name).toMatch(/^bucket-/);
    }
  });

  it("protects and retains its data and every guard of it", async () => {
    const made = await make(backup);
    const free = made.all.filter(({ custom, protect, retainOnDelete }) => custom && !(protect && retainOnDelete));
    expect(free.map(({ name }) => name).sort()).toEqual(["bucket-lifecycle", "bucket-logging"]);
  });

  it("switches versioning on before what needs it, and closes the bucket before it sets the policy", async () => {
    const made = await make(backup);
    const versioning = made.one("aws:s3/bucketVersioning:BucketVersioning").urn;
    for (const type of ["aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"]) expect(made.one(type).dependencies, type).toContain(versioning);
    expect(made.one("aws:s3/bucketPolicy:BucketPolicy").dependencies).toContain(made.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").urn);
  });

  it("waits with logging for the bucket of the logs, which Pulumi does not do for a component's parts", async () => {
    const made = await declare(() => {
      const logs = new S3BackupBucket("log", log);
      return new S3BackupBucket("bucket", backup, { dependsOn: [logs] });
    });
    expect(made.one("aws:s3/bucketLogging:BucketLogging").dependencies).toContain(made.one("aws:s3/bucket:Bucket", "log-bucket").urn);
  });

  it("gives the plan's lifecycle, and leaves small objects where they are", async () => {
    const { inputs } = (await make(backup)).one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration");
    expect(inputs["transitionDefaultMinimumObjectSize"]).toBe("all_storage_classes_128K");
    expect(inputs["rules"]).toContainEqual({ id: "age-redis", status: "Enabled", filter: { prefix: "redis/" }, transitions: [{ days: 30, storageClass: "STANDARD_IA" }], expiration: { days: 97 }, noncurrentVersionExpiration: { noncurrentDays: 7 } });
  });

  it("knows its name, address and policy at preview", async () => {
    const made = await declare(() => new S3BackupBucket("bucket", backup), { preview: true });
    expect(made.outputs).toMatchObject({ bucketName: "blackroad-backups-dr", arn: "arn:aws:s3:::blackroad-backups-dr", region: "us-west-2" });
    expect(made.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]).toContain("NobodyTakesVersionsAway");
  });

  it("tells replication what to wait for", async () => {
    const made = await make(backup);
    expect(made.outputs.ready).toHaveLength(7);
  });

  it("tells policies its role, lock and key", async () => {
    const made = await make(backup);
    expect(made.one("blackroad:storage:S3BackupBucket").outputs).toMatchObject({ bucket: "blackroad-backups-dr", region: "us-west-2", role: "backup", lock: { mode: "COMPLIANCE", days: 7 }, keyAlias: "alias/blackroad-backups" });
  });

  it("is emptied and deleted after a drill", async () => {
    const made = await make({ ...backup, lockMode: "GOVERNANCE", lifetime: "ephemeral" });
    expect(made.one("aws:s3/bucket:Bucket").inputs).toMatchObject({ forceDestroy: true });
    for (const part of made.all) expect(part, part.name).toMatchObject({ protect: false, retainOnDelete: false });
  });
});

describe("the other roles of a bucket", () => {
  it("locks what is short-lived for its own time", async () => {
    const made = await make({ ...backup, ...short });
    expect(made.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs).toMatchObject({ rule: { defaultRetention: { days: 1 } } });
  });

  it("locks a replica like its source, with the key of its own region", async () => {
    const made = await make({ ...backup, ...replica });
    expect(made.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs).toMatchObject({ region: "eu-west-1", rule: { defaultRetention: { mode: "COMPLIANCE", days: 7 } } });
    expect(JSON.stringify(made.one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs)).toContain("arn:aws:kms:eu-west-1:111122223333:alias/blackroad-backups");
  });

  it("gives a log bucket no lock, S3's own key, and no log of its own", async () => {
    const made = await make(log);
    expect(made.one("aws:s3/bucket:Bucket").inputs).toMatchObject({ objectLockEnabled: false });
    expect(made.of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")).toEqual([]);
    expect(made.of("aws:s3/bucketLogging:BucketLogging")).toEqual([]);
    expect(made.one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs["rules"]).toEqual([{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, blockedEncryptionTypes: ["SSE-C"] }]);
  });

  it("versions and encrypts Pulumi's state, and locks nothing that Pulumi overwrites", async () => {
    const made = await make(state);
    expect(made.of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")).toEqual([]);
    expect(made.one("aws:s3/bucketVersioning:BucketVersioning")).toMatchObject({ protect: true });
    expect(JSON.stringify(made.one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs)).toContain("alias/blackroad-backups");
  });
});

describe("a bucket that cannot be right", () => {
  it.each<readonly [string, Partial<S3BackupBucketArgs>, string]>([
    ["a backend that is not in S3", { role: { kind: "backup", backend: "r2", shortLived: false } }, "role: the plan has no bucket in S3"],
    ["a replica of what is not replicated", { role: { kind: "replica", of: "r2" } }, "role: the plan has no bucket in S3"],
    ["a region that the plan has not", { region: "us-east-2" }, "region: us-east-2 is no region of the plan"],
    ["another region than the plan's", { region: "eu-west-1" }, "but the plan has this bucket in us-west-2"],
    ["a replica in its source's region", { ...replica, region: "us-west-2" }, "is the source's own"],
    ["a name that other regions do not know", { bucket: "blackroad-backups-other" }, 'other regions look for it at "blackroad-backups-dr"'],
    ["the short-lived bucket under the long name", { ...short, bucket: "blackroad-backups-dr" }, 'other regions look for it at "blackroad-backups-dr-short"'],
    ["an account that is none", { accountId: "1234" }, 'accountId: "1234" is no AWS account'],
    ["a key that is no alias", { keyAlias: "blackroad-backups" }, "is no alias"],
    ["AWS's own key", { keyAlias: "alias/aws/s3" }, "is AWS's own key"],
    ["another region's log bucket", { logBucket: "blackroad-access-logs-eu-west-1" }, "is not the one of us-west-2"],
    ["a drill that nobody could tear down", { lifetime: "ephemeral" }, "lockMode: COMPLIANCE in a drill"],
    ["everybody at the break-glass", { breakGlass: [roleOf("*")] }, "breakGlass: "],
    ["a workload at the break-glass", { breakGlass: [roleOf("blackroad-dr-postgres-us-east-1")] }, "is a workload's, which must never take a version away"],
    ["a lock that is no whole day", { plan: changed((draft) => (backendIn(draft, "s3").immutableFor = hours(180))) }, "Object Lock counts whole days"],
    ["a lock longer than the lifecycle's expiry", { plan: changed((draft) => (backendIn(draft, "s3").immutableFor = days(100))) }, "what should be gone would be kept and paid for"],
    [
      "a retention shorter than the recovery window",
      {
        plan: changed((draft) => {
          for (const name of ["postgres-full", "postgres-diff", "postgres-incremental"] as const) scheduleIn(draft, name).retention = days(5);
        }),
      },
      "less than the recovery window of 7 d",
    ],
    ["a replica that expires what newer backups need", { ...replica, role: { kind: "replica", of: "s3", expireRepositoryAfter: days(90) } }, "less than twice the 90 d"],
  ])("refuses %s", async (_name, more, sentence) => {
    expect(await refused(more)).toContain(sentence);
  });

  it.each(["ab", "Blackroad", "black_road", "black.road", "-blackroad", "blackroad-", "xn--blackroad", "sthree-road", "amzn-s3-demo-road", "road-s3alias", "road--ol-s3", "road--x-s3", "r".repeat(64)])("refuses the name %s, which S3 refuses", async (bucket) => {
    const plan = changed((draft) => (backendIn(draft, "s3").bucket = bucket));
    expect(await refused({ plan, bucket })).toContain(`bucket: "${bucket}"`);
  });

  it("refuses backups without a lock, a key or a log", async () => {
    const said = await refusal(() => new S3BackupBucket("bucket", bare));
    for (const field of ["lockMode: missing", "keyAlias: missing", "logBucket: missing"]) expect(said).toContain(field);
  });

  it("refuses a lock, a KMS key and a log on a log bucket, all at once", async () => {
    const said = await refusal(() => new S3BackupBucket("log", { ...log, lockMode: "GOVERNANCE", keyAlias: "alias/blackroad-backups", logBucket: "blackroad-access-logs-us-west-2" }));
    for (const field of ["lockMode: GOVERNANCE on a log bucket", "keyAlias: S3 delivers", "logBucket: a log bucket"]) expect(said).toContain(field);
  });

  it("refuses a lock on Pulumi's state, and the state outside the secondary region", async () => {
    const said = await refusal(() => new S3BackupBucket("state", { ...state, region: "us-east-1", logBucket: "blackroad-access-logs-us-east-1", lockMode: "GOVERNANCE" }));
    for (const field of ["lockMode: GOVERNANCE on a state bucket", "the plan has this bucket in us-west-2"]) expect(said).toContain(field);
  });
});

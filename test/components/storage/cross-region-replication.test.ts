import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { keyPolicy } from "../../../components/keys/key-policy.ts";
import { CrossRegionReplication, type CrossRegionReplicationArgs } from "../../../components/storage/cross-region-replication.ts";
import { replicationPolicy, replicationTrust } from "../../../components/storage/replication-policy.ts";
import { replicationRoleName, replicationsOf } from "../../../components/storage/replication-role.ts";
import { S3BackupBucket } from "../../../components/storage/s3-backup-bucket.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { minutes } from "../../../plan/units.ts";
import { account, decide, documentProblems, roleOf } from "../../harness/iam.ts";
import { declare } from "../../harness/pulumi.ts";
import { changed } from "../../plan/drafts.ts";
import { refusal } from "../refusal.ts";

const source = { bucketName: "blackroad-backups-dr", region: "us-west-2" };
const destination = { bucketName: "blackroad-backups-dr-replica", region: "eu-west-1" };
const keyAlias = "alias/blackroad-backups";

const bucket = () =>
  new S3BackupBucket("source", {
    plan: blackroad, bucket: source.bucketName, region: source.region, accountId: account, role: { kind: "backup", backend: "s3", shortLived: false },
    lockMode: "GOVERNANCE", keyAlias, logBucket: "blackroad-access-logs-us-west-2", lifetime: "kept",
  });
const make = (more: Partial<CrossRegionReplicationArgs> = {}, preview = false) =>
  declare(() => {
    const from = bucket();
    return new CrossRegionReplication("replication", { plan: blackroad, source: from, destination, accountId: account, keyAlias, ready: from.ready, ...more });
  }, { preview });
/** Nothing of it is declared, so there is nothing to wait for either. */
const waitedFor: readonly pulumi.Resource[] = [];
const refused = (more: Partial<CrossRegionReplicationArgs>) => refusal(() => new CrossRegionReplication("replication", { plan: blackroad, source, destination, accountId: account, keyAlias, ready: waitedFor, ...more }));

const changedCopies = (change: (copy: { region: string; bound: number }) => void) =>
  changed((draft) => {
    for (const store of draft.stores) for (const copy of store.copies) if (copy.kind === "replicated-bucket") change(copy);
  });

describe("cross-region replication", () => {
  it("copies every KMS-encrypted object under the destination's own key, within the 15 minutes that AWS answers for", async () => {
    const { inputs } = (await make()).one("aws:s3/bucketReplicationConfig:BucketReplicationConfig");
    expect(inputs).toMatchObject({ region: "us-west-2", bucket: "blackroad-backups-dr" });
    expect(inputs["rules"]).toEqual([
      {
        id: "to-eu-west-1",
        status: "Enabled",
        priority: 1,
        filter: { prefix: "" },
        deleteMarkerReplication: { status: "Disabled" },
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
        destination: {
          bucket: "arn:aws:s3:::blackroad-backups-dr-replica",
          encryptionConfiguration: { replicaKmsKeyId: "arn:aws:kms:eu-west-1:111122223333:alias/blackroad-backups" },
          metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
          replicationTime: { status: "Enabled", time: { minutes: 15 } },
        },
      },
    ]);
  });

  it("waits for the versioning of its source, and for the role's permission", async () => {
    const made = await make();
    const { dependencies } = made.one("aws:s3/bucketReplicationConfig:BucketReplicationConfig");
    expect(dependencies).toContain(made.one("aws:s3/bucketVersioning:BucketVersioning").urn);
    expect(dependencies).toContain(made.one("aws:iam/rolePolicy:RolePolicy").urn);
  });

  it("has the role that the keys know by name, whose policies are known at preview", async () => {
    const made = await make({}, true);
    expect(made.outputs.roleName).toBe("blackroad-dr-replication-us-west-2");
    expect(made.one("aws:iam/role:Role").inputs).toMatchObject({ name: replicationRoleName(blackroad) });
    expect(made.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]).toContain("kms:ResourceAliases");
  });

  it("alarms in the region where S3 publishes each metric, by the plan's bound", async () => {
    const made = await make({ alarmTopics: { source: ["arn:source"], destination: ["arn:destination"] } });
    const alarms = made.of("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs);
    const alarm = (metricName: string) => alarms.find((one) => one["metricName"] === metricName);
    const dimensions = { SourceBucket: source.bucketName, DestinationBucket: destination.bucketName, RuleId: "to-eu-west-1" };
    expect(alarms).toHaveLength(3);
    expect(alarm("ReplicationLatency")).toMatchObject({ region: "eu-west-1", threshold: 900, statistic: "Maximum", treatMissingData: "breaching", alarmActions: ["arn:destination"], dimensions });
    expect(alarm("OperationsPendingReplication")).toMatchObject({ region: "eu-west-1", threshold: 0, statistic: "Minimum", period: 900, alarmActions: ["arn:destination"], dimensions });
    expect(alarm("OperationsFailedReplication")).toMatchObject({ region: "us-west-2", threshold: 0, statistic: "Sum", alarmActions: ["arn:source"], dimensions });
    for (const one of alarms) expect(one).toMatchObject({ namespace: "AWS/S3", comparisonOperator: "GreaterThanThreshold" });
  });

  it("alarms without topics in CloudWatch alone", async () => {
    for (const { inputs } of (await make()).of("aws:cloudwatch/metricAlarm:MetricAlarm")) expect(inputs).toMatchObject({ alarmActions: [], okActions: [] });
  });

  it("tells policies from where to where, and how late", async () => {
    expect((await make()).one("blackroad:storage:CrossRegionReplication").outputs).toEqual({
      source: { bucket: source.bucketName, region: source.region },
      destination: { bucket: destination.bucketName, region: destination.region },
      rpo: 900,
      deleteMarkers: false,
      role: "blackroad-dr-replication-us-west-2",
    });
  });

  it.each<readonly [string, Partial<CrossRegionReplicationArgs>, string]>([
    ["a destination that is the source", { destination: source }, "destination: blackroad-backups-dr is the source itself"],
    ["a destination in the source's region", { destination: { ...destination, region: "us-west-2" } }, "destination: us-west-2 is the source's own region"],
    ["a region that the plan has not", { destination: { ...destination, region: "eu-central-1" } }, "destination: eu-central-1 is no region of the plan"],
    ["a source in another region than the plan's", { source: { ...source, region: "us-east-1" } }, "source: the plan has blackroad-backups-dr in us-west-2, not in us-east-1"],
    ["a destination that nobody would look at", { destination: { ...destination, bucketName: "blackroad-elsewhere" } }, "other regions look for the replica at"],
    ["what the plan does not replicate", { source: { bucketName: "blackroad-backups-dr-short", region: "us-west-2" } }, "plan: no copy of the kind replicated-bucket says that blackroad-backups-dr-short is copied"],
    ["an account that is none", { accountId: "1" }, "accountId:"],
    ["a key that is no alias", { keyAlias: "mrk-1234" }, "keyAlias:"],
    ["nothing to wait for", {}, "ready: empty"],
    ["a name that S3 refuses", { destination: { ...destination, bucketName: "Replica" } }, 'destination: "Replica" is no name that S3 takes'],
    ["a promise that S3 does not make", { plan: changedCopies((copy) => (copy.bound = minutes(5))) }, "S3 Replication Time Control knows 15 min alone"],
    ["a plan whose replica is in its source's region", { plan: changedCopies((copy) => (copy.region = "us-west-2")), destination: { ...destination, region: "us-west-2" } }, "both copies would be lost with it"],
  ])("refuses %s", async (_, more, sentence) => {
    expect(await refused(more)).toContain(sentence);
  });
});

describe("what the plan replicates", () => {
  it("is each bucket once, however many stores lie in it", () => {
    expect(replicationsOf(blackroad)).toMatchObject([{ source: { bucket: "blackroad-backups-dr", region: "us-west-2" }, destination: { bucket: "blackroad-backups-dr-replica", region: "eu-west-1" }, bound: 900 }]);
  });
});

describe("the replication role's policies", () => {
  const input = { accountId: account, source: { bucket: source.bucketName, region: source.region }, destination: { bucket: destination.bucketName, region: destination.region }, keyAlias };
  const policy = replicationPolicy(input);
  const key = (region: string) => `arn:aws:kms:${region}:${account}:key/mrk-1234abcd12ab34cd56ef1234567890ab`;
  const object = (name: string) => `arn:aws:s3:::${name}/redis/object`;
  const role = roleOf(replicationRoleName(blackroad));
  const may = (action: string, resource: string, context: Record<string, string | string[]> = {}) => decide({ principal: role, action, resource, identity: policy, context });
  /** A key's own policy must let the role in too. */
  const ofKey = keyPolicy({ accountId: account, regions: ["us-west-2", "eu-west-1"], administrators: [roleOf("KeyAdministrator")], encrypters: [role], decrypters: [role], stateBucket: "blackroad-pulumi-state" });
  const mayUse = (action: string, region: string, context: Record<string, string | string[]>) => decide({ principal: role, action, resource: key(region), identity: policy, policy: ofKey, context });

  it("are ones that AWS takes", async () => {
    const resource = (action: string) => {
      if (action.startsWith("kms:")) return key(action === "kms:Decrypt" ? "us-west-2" : "eu-west-1");
      if (/Configuration|ListBucket/.test(action)) return `arn:aws:s3:::${source.bucketName}`;
      return object(action.startsWith("s3:Replicate") ? destination.bucketName : source.bucketName);
    };
    expect(await documentProblems(policy, "identity", resource)).toEqual([]);
    expect(await documentProblems(replicationTrust(input), "resource", () => "*")).toEqual([]);
  });

  it("let it read versions with their locks at the source, and write replicas, never delete them", async () => {
    for (const action of ["s3:GetObjectVersionForReplication", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:GetObjectVersionTagging"]) expect(await may(action, object(source.bucketName)), action).toBe("Allowed");
    for (const action of ["s3:ReplicateObject", "s3:ReplicateTags"]) expect(await may(action, object(destination.bucketName)), action).toBe("Allowed");
    for (const action of ["s3:ReplicateDelete", "s3:DeleteObject", "s3:PutObject", "s3:GetObject"]) expect(await may(action, object(destination.bucketName)), action).toBe("ImplicitlyDenied");
    expect(await may("s3:ReplicateObject", object(source.bucketName))).toBe("ImplicitlyDenied");
  });

  it("let it decrypt at the source and encrypt at the destination, through S3, with the plan's key, for these buckets", async () => {
    const asked = (region: string, name: string) => ({ "kms:ResourceAliases": [keyAlias], "kms:ViaService": `s3.${region}.amazonaws.com`, "kms:EncryptionContext:aws:s3:arn": `arn:aws:s3:::${name}` });
    const here = asked("us-west-2", source.bucketName);
    const there = asked("eu-west-1", destination.bucketName);
    expect(await mayUse("kms:Decrypt", "us-west-2", here)).toBe("Allowed");
    expect(await mayUse("kms:Decrypt", "us-west-2", { ...here, "kms:EncryptionContext:aws:s3:arn": object(source.bucketName) })).toBe("Allowed");
    for (const action of ["kms:Encrypt", "kms:GenerateDataKey"]) expect(await mayUse(action, "eu-west-1", there), action).toBe("Allowed");
    expect(await mayUse("kms:Decrypt", "eu-west-1", there)).toBe("ImplicitlyDenied");
    expect(await mayUse("kms:Decrypt", "us-west-2", { ...here, "kms:ResourceAliases": ["alias/blackroad-vault-seal"] })).toBe("ImplicitlyDenied");
    expect(await mayUse("kms:Decrypt", "us-west-2", { ...here, "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::blackroad-pulumi-state" })).toBe("ImplicitlyDenied");
    expect(await mayUse("kms:Decrypt", "us-west-2", { "kms:ResourceAliases": [keyAlias] })).toBe("ImplicitlyDenied");
  });

  it("let S3 alone take the role on, for this bucket of this account", async () => {
    const trust = replicationTrust(input);
    const assume = (principal: string, context: Record<string, string>) => decide({ principal, action: "sts:AssumeRole", resource: roleOf(replicationRoleName(blackroad)), policy: trust, context });
    const given = { "aws:SourceAccount": account, "aws:SourceArn": `arn:aws:s3:::${source.bucketName}` };
    expect(await assume("s3.amazonaws.com", given)).toBe("Allowed");
    expect(await assume("s3.amazonaws.com", { ...given, "aws:SourceAccount": "444455556666" })).toBe("ImplicitlyDenied");
    expect(await assume("s3.amazonaws.com", { ...given, "aws:SourceArn": "arn:aws:s3:::somebody-elses" })).toBe("ImplicitlyDenied");
    expect(await assume(roleOf("thief"), given)).toBe("ImplicitlyDenied");
  });
});

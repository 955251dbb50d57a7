import { describe, expect, it } from "vitest";
import { BackupKey, type BackupKeyArgs } from "../../../components/keys/backup-key.ts";
import { ArgumentError } from "../../../components/component.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { account, roleOf } from "../../harness/iam.ts";
import { declare } from "../../harness/pulumi.ts";
import { changed, itemIn } from "../../plan/drafts.ts";

const args: BackupKeyArgs = {
  plan: blackroad,
  key: "backups",
  accountId: account,
  administrators: [roleOf("KeyAdministrator")],
  encrypters: [roleOf("blackroad-dr-*")],
  decrypters: [roleOf("blackroad-dr-restore-*")],
  lifetime: "kept",
};
const declared = (more: Partial<BackupKeyArgs> = {}) => declare(() => new BackupKey("key", { ...args, ...more }));

/** The sentence that refuses it, with nothing declared. */
async function refused(more: Partial<BackupKeyArgs>): Promise<string> {
  const { outputs, all } = await declare(() => {
    try {
      return new BackupKey("key", { ...args, ...more });
    } catch (error) {
      return error;
    }
  });
  expect(outputs).toBeInstanceOf(ArgumentError);
  expect(all).toEqual([]);
  return String(outputs);
}

describe("a backup key", () => {
  it("has its primary outside the primary region, rotates, and is deleted after 30 days at the earliest", async () => {
    const made = await declared();
    const key = made.one("aws:kms/key:Key");
    expect(key).toMatchObject({ name: "key-primary", parent: made.one("blackroad:keys:BackupKey").urn, protect: true, retainOnDelete: true });
    expect(key.inputs).toMatchObject({ region: "us-west-2", multiRegion: true, enableKeyRotation: true, deletionWindowInDays: 30 });
  });

  it("has a replica in every other region, each with the same policy, which replicas do not inherit", async () => {
    const made = await declared();
    const replicas = made.of("aws:kms/replicaKey:ReplicaKey");
    expect(replicas.map(({ inputs }) => inputs["region"]).sort()).toEqual(["eu-west-1", "us-east-1"]);
    for (const replica of replicas) {
      expect(replica).toMatchObject({ protect: true, retainOnDelete: true });
      expect(replica.inputs).toMatchObject({ primaryKeyArn: "arn:aws:kms:us-west-2:111122223333:key-primary", deletionWindowInDays: 30, policy: made.one("aws:kms/key:Key").inputs["policy"] });
    }
  });

  it("has one alias in every region", async () => {
    const made = await declared();
    const aliases = made.of("aws:kms/alias:Alias");
    expect(aliases.map(({ inputs }) => [inputs["region"], inputs["name"]]).sort()).toEqual(["eu-west-1", "us-east-1", "us-west-2"].map((region) => [region, "alias/blackroad-backups"]));
    for (const alias of aliases) expect(alias).toMatchObject({ protect: true, retainOnDelete: true });
    expect(made.outputs.alias).toBe("alias/blackroad-backups");
    expect(Object.keys(made.outputs.arns).sort()).toEqual(["eu-west-1", "us-east-1", "us-west-2"]);
  });

  it("tells policies where it is and how long a deletion can be taken back", async () => {
    const made = await declared();
    expect(made.one("blackroad:keys:BackupKey").outputs).toEqual({ alias: "alias/blackroad-backups", primaryRegion: "us-west-2", regions: ["us-west-2", "us-east-1", "eu-west-1"], deletionWindowInDays: 30, administrators: [roleOf("KeyAdministrator")] });
  });

  it("is gone after a drill, as soon as KMS lets it go", async () => {
    const made = await declared({ lifetime: "ephemeral" });
    for (const resource of made.all) expect(resource, resource.name).toMatchObject({ protect: false, retainOnDelete: false });
    expect(made.one("aws:kms/key:Key").inputs).toMatchObject({ deletionWindowInDays: 7 });
  });

  it("takes over what a lost state left behind, by the id of each region, and says so in nothing that it declares", async () => {
    const existing = new Map(["us-west-2", "us-east-1", "eu-west-1"].map((region) => [region, { key: "mrk-1", alias: "alias/blackroad-backups" }]));
    const made = await declared({ existing });
    const imports = made.all.filter(({ custom }) => custom).map(({ type, inputs, importId }) => [type.split(":").at(-1), inputs["region"], importId]);
    expect(imports.filter(([type]) => type !== "Alias")).toEqual([["Key", "us-west-2", "mrk-1@us-west-2"], ["ReplicaKey", "us-east-1", "mrk-1@us-east-1"], ["ReplicaKey", "eu-west-1", "mrk-1@eu-west-1"]]);
    for (const [, region, id] of imports.filter(([type]) => type === "Alias")) expect(id).toBe(`alias/blackroad-backups@${String(region)}`);
    expect(made.one("blackroad:keys:BackupKey").inputs).toEqual((await declared()).one("blackroad:keys:BackupKey").inputs);
  });

  it("makes anew what is not there", async () => {
    for (const { importId, name } of (await declared({ existing: new Map() })).all) expect(importId, name).toBe("");
  });

  it("knows its policy at preview", async () => {
    const made = await declare(() => new BackupKey("key", args), { preview: true });
    expect(made.one("aws:kms/key:Key").inputs["policy"]).toContain("OnlyAdministratorsDestroy");
  });

  it.each<readonly [string, Partial<BackupKeyArgs>, string]>([
    ["a key that the plan has not", { key: "unknown" }, 'key: "unknown" is none of the plan\'s keys: backups, vault-seal'],
    ["an account that is none", { accountId: "1111" }, 'accountId: "1111" is no AWS account'],
    ["no administrator", { administrators: [] }, "administrators: nobody is named"],
    ["no writer", { encrypters: [] }, "encrypters: nobody is named"],
    ["no reader", { decrypters: [] }, "decrypters: nobody is named"],
    ["an administrator who could be a workload", { administrators: [roleOf("blackroad-*")] }, "which then could delete the key"],
    ["everybody as administrator", { administrators: [roleOf("*")] }, "is everybody of the account"],
    ["somebody of another account", { administrators: [roleOf("KeyAdministrator", "444455556666")] }, "is of account 444455556666, not of 111122223333"],
    ["what is no ARN", { administrators: ["KeyAdministrator"] }, "is no ARN of a role or user"],
    ["a workload that is a user", { encrypters: [`arn:aws:iam::${account}:user/writer`] }, "is no role"],
    ["a workload's pattern before the plan's name", { decrypters: [roleOf("black*")] }, "has * before the plan's name"],
    ["a policy that is too long", { encrypters: Array.from({ length: 600 }, (_, index) => roleOf(`blackroad-dr-${String(index).padStart(30, "0")}`)) }, "the policy is longer than KMS takes"],
    ["the same region twice", { plan: changed((draft) => (itemIn(draft.regions, 2).name = "us-east-1")) }, "plan.regions: us-east-1 is there twice"],
    ["a plan without a secondary region", { plan: changed((draft) => (itemIn(draft.regions, 1).role = "witness")) }, "plan.regions: none is secondary"],
    ["a secondary region that is the primary one", { plan: changed((draft) => (itemIn(draft.regions, 1).name = "us-east-1")) }, "us-east-1 is both primary and secondary"],
    ["a name that is no alias", { plan: changed((draft) => (draft.name = "black road")) }, "is no alias"],
  ])("refuses %s", async (_, more, sentence) => {
    expect(await refused(more)).toContain(sentence);
  });

  it("says everything that is wrong at once", async () => {
    const said = await refused({ key: "unknown", accountId: "1111", administrators: [] });
    for (const field of ["key:", "accountId:", "administrators:"]) expect(said).toContain(field);
  });
});

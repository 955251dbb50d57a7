import { describe, expect, it } from "vitest";
import { adopt, ifThere, rememberedState, type RememberedState } from "../../components/adopt.ts";
import { findExistingKeys } from "../../components/keys/existing-keys.ts";
import { bucketExists, bucketRemembered } from "../../components/storage/existing-bucket.ts";
import { BackupKey } from "../../components/keys/backup-key.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { account, roleOf } from "../harness/iam.ts";
import { declare } from "../harness/pulumi.ts";

const readState = "pulumi:pulumi:readStackResourceOutputs";
const holding = (...held: readonly string[]): RememberedState => ({ has: (type, name) => held.includes(`${type} ${name}`) });

describe("what exists", () => {
  it("is taken over by its id, where there is one", () => {
    expect(adopt({ protect: true }, "id")).toEqual({ protect: true, import: "id" });
    expect(adopt({ protect: true }, undefined)).toEqual({ protect: true });
  });

  it("is looked for where the state of the stack does not remember it, by type and name, whatever its parents are", async () => {
    const outputs = {
      "urn:pulumi:test::blackroad-dr::blackroad:keys:BackupKey$aws:kms/key:Key::backups-primary": { type: "aws:kms/key:Key", outputs: {} },
      "urn:pulumi:test::blackroad-dr::blackroad:keys:BackupKey::backups": { type: "blackroad:keys:BackupKey", outputs: {} },
    };
    const asked = await declare(rememberedState, { call: (token) => (token === readState ? { outputs } : undefined) });
    expect(asked.calls).toEqual([{ token: readState, inputs: { stackName: "organization/blackroad-dr/test" } }]);
    const { outputs: state } = asked;
    expect([state.has("aws:kms/key:Key", "backups-primary"), state.has("blackroad:keys:BackupKey", "backups")]).toEqual([true, true]);
    expect([state.has("aws:kms/key:Key", "backups"), state.has("aws:kms/alias:Alias", "backups-primary")]).toEqual([false, false]);
  });

  it("is not taken over on an engine's silence about its state", async () => {
    const said = await declare(() => rememberedState().then(String, String), { call: () => ({}) });
    expect(said.outputs).toContain("does not say what the state of organization/blackroad-dr/test holds");
  });

  it("is not there only where the provider says so in its own words", async () => {
    expect(await ifThere(Promise.resolve(1), /gone/)).toBe(1);
    const none = await ifThere(Promise.reject<string>(new Error("it is gone")), /gone/);
    expect(none).toBeUndefined();
    await expect(ifThere(Promise.reject(new Error("AccessDenied")), /gone/)).rejects.toThrow("AccessDenied");
  });
});

describe("keys", () => {
  const found = (state = holding()) => declare(() => findExistingKeys(blackroad, state), { call: (token, { name, region }) => (token.endsWith("getAlias") ? { targetKeyId: `mrk-${String(name)}-${String(region)}` } : undefined) });

  it("are found by their aliases in each region", async () => {
    const { outputs } = await found();
    expect([...outputs.keys()]).toEqual(["backups", "vault-seal"]);
    expect(outputs.get("backups")?.get("eu-west-1")).toEqual({ key: "mrk-alias/blackroad-backups-eu-west-1", alias: "alias/blackroad-backups" });
  });

  it("are left alone where the state remembers them, each part for itself, and not asked for where it remembers all", async () => {
    const parts = ["aws:kms/key:Key backups-primary", "aws:kms/alias:Alias backups-alias-us-west-2", "aws:kms/replicaKey:ReplicaKey backups-replica-us-east-1"];
    const { outputs, calls } = await found(holding(...parts));
    expect(outputs.get("backups")?.has("us-west-2")).toBe(false);
    expect(outputs.get("backups")?.get("us-east-1")).toEqual({ key: undefined, alias: "alias/blackroad-backups" });
    expect(calls.filter(({ inputs }) => inputs["name"] === "alias/blackroad-backups").map(({ inputs }) => inputs["region"])).toEqual(["us-east-1", "eu-west-1"]);
  });

  it("are imported with their regions, and so are their aliases", async () => {
    const existing = (await found()).outputs.get("backups");
    const args = { plan: blackroad, key: "backups", accountId: account, administrators: [roleOf("KeyAdministrator")], encrypters: [roleOf("blackroad-dr-*")], decrypters: [roleOf("blackroad-dr-restore-*")], lifetime: "kept" } as const;
    const result = await declare(() => new BackupKey("backups", { ...args, existing }));
    expect(result.one("aws:kms/key:Key")).toMatchObject({ importId: "mrk-alias/blackroad-backups-us-west-2@us-west-2", protect: true });
    expect(result.one("aws:kms/alias:Alias", "backups-alias-us-east-1").importId).toBe("alias/blackroad-backups@us-east-1");
    expect(result.of("aws:kms/replicaKey:ReplicaKey").map(({ importId }) => importId.split("@")[1])).toEqual(["us-east-1", "eu-west-1"]);
    const anew = await declare(() => new BackupKey("backups", args));
    expect(anew.all.filter(({ importId }) => importId !== "")).toEqual([]);
    expect(anew.one("blackroad:keys:BackupKey").inputs).toEqual(result.one("blackroad:keys:BackupKey").inputs);
  });
});

describe("the bucket at Cloudflare", () => {
  it("exists where Cloudflare finds it", async () => {
    const asked = await declare(() => bucketExists({ plan: blackroad, accountId: "0".repeat(32), backend: "r2" }));
    expect(asked.outputs).toBe(true);
    expect([bucketRemembered("r2", holding("cloudflare:index/r2Bucket:R2Bucket r2-bucket")), bucketRemembered("r2", holding())]).toEqual([true, false]);
    expect(asked.calls).toMatchObject([{ token: "cloudflare:index/getR2Bucket:getR2Bucket", inputs: { bucketName: "blackroad-backups" } }]);
  });
});

import { describe, expect, it } from "vitest";
import { adopt, cameUpBefore, ifThere } from "../../components/adopt.ts";
import { findExistingKeys } from "../../components/keys/existing-keys.ts";
import { bucketExists } from "../../components/storage/existing-bucket.ts";
import { BackupKey } from "../../components/keys/backup-key.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { account, roleOf } from "../harness/iam.ts";
import { declare } from "../harness/pulumi.ts";

describe("what exists", () => {
  it("is taken over by its id, where there is one", () => {
    expect(adopt({ protect: true }, "id")).toEqual({ protect: true, import: "id" });
    expect(adopt({ protect: true }, undefined)).toEqual({ protect: true });
  });

  it("is looked for where the state remembers no run that came to its end", async () => {
    const remembers = async (outputs: Record<string, unknown>) =>
      (await declare(() => cameUpBefore("bucket"), { computed: (type) => (type === "pulumi:pulumi:StackReference" ? { outputs } : undefined) })).outputs;
    expect(await remembers({})).toBe(false);
    expect(await remembers({ other: 1 })).toBe(false);
    expect(await remembers({ bucket: "blackroad-backups" })).toBe(true);
  });

  it("is not there only where the provider says so in its own words", async () => {
    expect(await ifThere(Promise.resolve(1), /gone/)).toBe(1);
    const none = await ifThere(Promise.reject<string>(new Error("it is gone")), /gone/);
    expect(none).toBeUndefined();
    await expect(ifThere(Promise.reject(new Error("AccessDenied")), /gone/)).rejects.toThrow("AccessDenied");
  });
});

describe("keys", () => {
  const found = () => declare(() => findExistingKeys(blackroad), { call: (token, { name, region }) => (token.endsWith("getAlias") ? { targetKeyId: `mrk-${String(name)}-${String(region)}` } : undefined) });

  it("are found by their aliases in each region", async () => {
    const { outputs } = await found();
    expect([...outputs.keys()]).toEqual(["backups", "vault-seal"]);
    expect(outputs.get("backups")?.get("eu-west-1")).toBe("mrk-alias/blackroad-backups-eu-west-1");
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
    expect(asked.calls).toMatchObject([{ token: "cloudflare:index/getR2Bucket:getR2Bucket", inputs: { bucketName: "blackroad-backups" } }]);
  });
});

import { output, secret } from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { BackupSecrets, type BackupSecretsArgs } from "../../../components/access/backup-secrets.ts";
import { findExistingSecrets, type ExistingSecrets } from "../../../components/access/existing-secrets.ts";
import type { R2Access } from "../../../components/storage/r2-access.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { secretsOf } from "../../../plan/secrets.ts";
import { isSecret, read } from "../../harness/outputs.ts";
import { declare, type Declaration, type DeclareOptions } from "../../harness/pulumi.ts";
import { open, recipient, type TestRecipient } from "../../harness/recipients.ts";

let ada: TestRecipient;
let ben: TestRecipient;
/** The first run of all, and one after the state was lost with every secret still there. */
let first: Declaration<BackupSecrets>;
let again: Declaration<BackupSecrets>;
beforeAll(async () => {
  [ada, ben] = await Promise.all([recipient("ada"), recipient("ben")]);
  first = await declared();
  again = await afterLoss(kept);
});

const types = {
  secret: "aws:secretsmanager/secret:Secret", version: "aws:secretsmanager/secretVersion:SecretVersion", random: "random:index/randomPassword:RandomPassword",
  object: "aws:s3/bucketObjectv2:BucketObjectv2", id: "random:index/randomId:RandomId", provider: "pulumi:providers:aws", component: "blackroad:access:BackupSecrets",
};
const access = (who: string): R2Access => ({ accessKeyId: secret(`key-id-of-${who}`), secretAccessKey: secret(`key-of-${who}`), file: secret(`[default] ${who}`) });
const argsOf = (changes: Partial<BackupSecretsArgs> = {}): BackupSecretsArgs => ({
  plan: blackroad, recipients: [ada.publicKey, ben.publicKey], existing: new Map(), lifetime: "kept",
  r2: { bucketName: "blackroad-backups", endpoint: "https://account.r2.cloudflarestorage.com", writer: access("writer"), reader: access("reader") },
  ...changes,
});
const computed: DeclareOptions["computed"] = (type, name) => (type === types.id ? { hex: `hex-of-${name}` } : undefined);
const kept = Object.fromEntries(secretsOf(blackroad).map(({ name }) => [`blackroad/${name}`, `kept-${name}`]));
const declared = (changes: Partial<BackupSecretsArgs> = {}) => declare(() => new BackupSecrets("secrets", argsOf(changes)), { computed });

/** Secrets Manager in a region, of which a lookup sees what is there. */
const secretsManager = (kept: Readonly<Record<string, string | undefined>>): NonNullable<DeclareOptions["call"]> => (token, { secretId }) => {
  const arnOf = (name: string): string => `arn:aws:secretsmanager:us-west-2:111122223333:secret:${name}-AbC123`;
  const value = Object.entries(kept).find(([name]) => arnOf(name) === secretId)?.[1];
  if (token.endsWith("getSecrets")) return { arns: Object.keys(kept).map(arnOf), names: Object.keys(kept).toReversed() };
  if (token.endsWith("getSecretVersions")) return { versions: value === undefined ? [] : [{ versionId: "1", versionStages: ["AWSPREVIOUS"] }, { versionId: "2", versionStages: ["AWSCURRENT"] }] };
  if (token.endsWith("getSecretVersion")) return { secretString: value };
  return undefined;
};
const afterLoss = (kept: Readonly<Record<string, string | undefined>>) =>
  declare(async () => new BackupSecrets("secrets", argsOf({ existing: await findExistingSecrets(blackroad) })), { computed, call: secretsManager(kept) });

/** How a lookup alone ended. */
const lookUp = async (call: NonNullable<DeclareOptions["call"]>): Promise<string> => (await declare(() => findExistingSecrets(blackroad).then(() => "done", String), { call })).outputs;

const valueOf = (result: Declaration<unknown>, name: string): unknown => result.one(types.version, `secrets-${name}-value`).inputs["secretString"];
const sealedIn = (result: Declaration<unknown>): string => (result.one(types.object).inputs["content"] as { secret: string }).secret;

describe("every secret of the plan", () => {
  it("is in Secrets Manager outside the primary region, with a replica in each other one, under the plan's key", () => {
    expect(first.of(types.secret).map(({ inputs }) => inputs["name"])).toEqual(secretsOf(blackroad).map(({ name }) => `blackroad/${name}`));
    for (const { inputs } of first.of(types.secret)) {
      expect(inputs).toMatchObject({
        region: "us-west-2", kmsKeyId: "alias/blackroad-backups", recoveryWindowInDays: 30,
        replicas: [{ region: "us-east-1", kmsKeyId: "alias/blackroad-backups" }, { region: "eu-west-1", kmsKeyId: "alias/blackroad-backups" }],
      });
    }
  });

  it("is protected and retained, and so is what it was drawn from", () => {
    for (const one of [...first.of(types.secret), ...first.of(types.random)]) expect(one).toMatchObject({ protect: true, retainOnDelete: true });
    expect(first.of(types.random)).toHaveLength(secretsOf(blackroad).filter(({ kind }) => kind !== "credentials").length);
    for (const { inputs } of first.of(types.random)) expect(inputs).toMatchObject({ length: 48, special: false });
  });

  it("keeps its value whatever this program computes later, unless it is a token's", () => {
    expect(first.one(types.version, "secrets-runner-value")).toMatchObject({ protect: true, retainOnDelete: true, ignoreChanges: ["secretString"] });
    expect(first.one(types.version, "secrets-r2-writer-value")).toMatchObject({ protect: false, ignoreChanges: [] });
  });

  it("is drawn anew but for the tokens, which R2 gave", () => {
    expect(valueOf(first, "runner")).toEqual({ secret: "random-secrets-runner-random" });
    expect(valueOf(first, "r2-writer")).toEqual({ secret: "[default] writer" });
    expect(valueOf(first, "r2-reader")).toEqual({ secret: "[default] reader" });
  });

  it("is gone at once with a drill, where it is neither protected nor retained", async () => {
    const result = await declared({ lifetime: "ephemeral" });
    expect(result.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
    for (const { inputs } of result.of(types.secret)) expect(inputs).toMatchObject({ recoveryWindowInDays: 0 });
  });
});

describe("no value", () => {
  it("is registered anywhere but marked as secret", () => {
    const values = [...secretsOf(blackroad).map(({ name }) => `random-secrets-${name}-random`), "[default] writer", "[default] reader", "key-id-of-writer", "key-of-writer"];
    for (const one of first.all) {
      const plain = JSON.stringify([withoutSecrets(one.inputs), withoutSecrets(one.outputs ?? {})]);
      expect([one.name, values.filter((value) => plain.includes(value))]).toEqual([one.name, []]);
    }
  });

  it("is in what a stack could give out", async () => {
    expect(first.one(types.component).outputs).not.toHaveProperty("values");
    for (const value of first.outputs.values.values()) expect(await isSecret(value)).toBe(true);
  });
});

describe("after the state was lost", () => {
  it("what exists is taken over by its ARN, and keeps its value", async () => {
    for (const { name, kind } of secretsOf(blackroad)) {
      expect(again.one(types.secret, `secrets-${name}`).importId).toBe(`arn:aws:secretsmanager:us-west-2:111122223333:secret:blackroad/${name}-AbC123`);
      if (kind !== "credentials") expect(valueOf(again, name)).toEqual({ secret: `kept-${name}` });
    }
    expect(await open(sealedIn(again), ada)).toContain('"value": "kept-runner"');
  });

  it("tokens are Cloudflare's new ones: the old ones' values are nowhere", () => {
    expect(valueOf(again, "r2-writer")).toEqual({ secret: "[default] writer" });
  });

  it("what is missing is made, beside what is there", async () => {
    const result = await afterLoss({ "blackroad/runner": "kept-runner" });
    expect(valueOf(result, "runner")).toEqual({ secret: "kept-runner" });
    expect(valueOf(result, "sentinel")).toEqual({ secret: "random-secrets-sentinel-random" });
    expect(result.one(types.secret, "secrets-sentinel").importId).toBe("");
  });

  it("a secret that an interrupted run left without a value gets one", async () => {
    const result = await afterLoss({ "blackroad/runner": undefined });
    expect(result.one(types.secret, "secrets-runner").importId).toContain("blackroad/runner");
    expect(valueOf(result, "runner")).toEqual({ secret: "random-secrets-runner-random" });
  });

  it("somebody else's secret behind a longer name is left alone", async () => {
    const result = await afterLoss({ "blackroad/runner-of-somebody": "theirs" });
    expect(result.of(types.secret).filter(({ importId }) => importId !== "")).toEqual([]);
  });

  it("a lookup that fails ends the run: it is no proof that nothing is there", async () => {
    const failing: NonNullable<DeclareOptions["call"]> = () => {
      throw new Error("AccessDeniedException");
    };
    expect(await lookUp(failing)).toContain("Error");
  });

  it("a secret that holds no text is not taken for one of ours", async () => {
    expect(await lookUp(secretsManager({ "blackroad/runner": "" }))).toContain("holds no text");
  });

  it("the lookup asks the region of the originals, once for all names", () => {
    expect(again.calls.filter(({ token }) => token.endsWith("getSecrets")).map(({ inputs }) => inputs)).toEqual([{ region: "us-west-2", filters: [{ name: "name", values: ["blackroad/"] }] }]);
  });
});

describe("the escrow", () => {
  it("holds the passphrases alone, and each recipient opens it", async () => {
    for (const who of [ada, ben]) {
      const { secrets } = JSON.parse(await open(sealedIn(first), who)) as { secrets: { name: string; value: string }[] };
      expect(secrets).toEqual(["pgbackrest-r2", "pgbackrest-s3", "runner"].map((name) => ({ name, opens: secretsOf(blackroad).find((spec) => spec.name === name)?.opens, value: `random-secrets-${name}-random` })));
    }
  });

  it("is kept with the backups at Cloudflare, where AWS's loss does not reach it", async () => {
    expect(first.one(types.provider).inputs).toMatchObject({ region: "us-east-1", s3UsePathStyle: "true", endpoints: '[{"s3":"https://account.r2.cloudflarestorage.com"}]' });
    const object = first.one(types.object);
    expect(object.inputs).toMatchObject({ bucket: "blackroad-backups", key: "escrow/hex-of-secrets-escrow-id.asc" });
    expect(object.provider).toContain(first.one(types.provider).urn);
    expect(await read(first.outputs.escrowKey)).toBe("escrow/hex-of-secrets-escrow-id.asc");
  });

  it("is written again where its text or a recipient changed, and never over an older one", async () => {
    const before = first.one(types.id).inputs["keepers"];
    expect(await keeperOf({ recipients: [ben.publicKey, ada.publicKey] })).toEqual(before);
    expect(await keeperOf({ existing: existing("runner", "another") })).not.toEqual(before);
    expect(await keeperOf({ recipients: [ada.publicKey, (await recipient("new")).publicKey] })).not.toEqual(before);
    expect(first.one(types.object)).toMatchObject({ ignoreChanges: ["content"], protect: false, retainOnDelete: true });
  });

  it("does not change with a password that can be set anew", async () => {
    expect(await keeperOf({ existing: existing("postgres-app", "another") })).toEqual(first.one(types.id).inputs["keepers"]);
  });
});

describe("what is refused", () => {
  const refusal = (changes: Partial<BackupSecretsArgs>): string => {
    try {
      new BackupSecrets("secrets", argsOf(changes));
    } catch (error) {
      return String(error);
    }
    return "";
  };

  it("is an escrow that one person alone could open", () => {
    expect(refusal({ recipients: [ada.publicKey] })).toContain("recipients: 1 given, at least 2 needed");
  });
  it("is a private key in the configuration", () => {
    expect(refusal({ recipients: [ada.publicKey, ben.privateKey] })).toContain("recipients[1]: is a private key");
  });
  it("is a plan without a region for the originals, or without their key", () => {
    expect(refusal({ plan: { ...blackroad, regions: blackroad.regions.filter(({ role }) => role !== "secondary") } })).toContain("plan.regions: none is secondary");
    expect(refusal({ plan: { ...blackroad, keys: [] } })).toContain("plan.keys: there is no backups");
  });
  it("comes all at once", () => {
    expect(refusal({ plan: { ...blackroad, keys: [] }, recipients: ["x", "x"] }).match(/^ {2}/gm)).toHaveLength(4);
  });
});

const existing = (name: string, value: string): ExistingSecrets => new Map([[name, { arn: "arn:aws:secretsmanager:us-west-2:111122223333:secret:x-AbC123", value: output(value) }]]);
async function keeperOf(changes: Partial<BackupSecretsArgs>): Promise<unknown> {
  return (await declared(changes)).one(types.id).inputs["keepers"];
}

/** What is left of a registration for everybody to read. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return "secret" in value ? "[secret]" : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutSecrets(one)]));
}

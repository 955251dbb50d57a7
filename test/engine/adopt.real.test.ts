import { beforeAll, describe, expect, it } from "vitest";
import { pulumiProgram, type EngineStack } from "../harness/engine.ts";
import { project, stackOfRole } from "../harness/engine-stacks.ts";
import { exampleRecipients } from "../harness/example-recipients.ts";
import { text } from "../harness/providers/wire.ts";
import { open, recipient } from "../harness/recipients.ts";
import { useEngine } from "../harness/use-engine.ts";

/** What the components of keys, access and storage do with the real engine, apart from everything else. */
describe("the global stack", () => {
  const engine = useEngine(project);
  let stack: EngineStack;
  beforeAll(async () => {
    if ((await pulumiProgram()) === undefined) return;
    stack = await stackOfRole(engine(), "global");
    await stack.up();
  });

  const things = (type: string) => engine().providers.cloud.all(type);
  const sealed = () => things("aws:s3/bucketObjectv2:BucketObjectv2").map(({ id, inputs }) => [id, text(inputs, "content")]);
  const passphrases = () => things("aws:secretsmanager/secretVersion:SecretVersion").filter(({ inputs }) => text(inputs, "secretId")?.includes("pgbackrest-") === true || text(inputs, "secretId")?.includes("runner") === true).map(({ inputs }) => text(inputs, "secretString"));

  it("changes nothing when it comes up again, though sealing is never twice the same", async () => {
    const before = sealed();
    expect(before).toHaveLength(1);
    expect((await stack.up()).steps).toEqual([]);
    expect(sealed()).toEqual(before);
  });

  it("seals the escrow anew for another recipient, who can open it, and leaves the old one", async () => {
    const [before] = sealed();
    const ada = await recipient("ada");
    await stack.up({ args: ["--config", `blackroad-dr:escrow=${JSON.stringify({ recipients: [...exampleRecipients, ada.publicKey] })}`] });
    const [old, anew] = sealed().toSorted((one, other) => Number(one[0] !== before?.[0]) - Number(other[0] !== before?.[0]));
    expect(old).toEqual(before);
    expect(await open(anew?.[1] ?? "", ada)).toContain(passphrases()[0]);
    expect((await stack.up()).steps).toEqual([]);
  });

  it("takes over keys, secrets and the bucket where its state was lost, and then changes nothing either", async () => {
    const before = { keys: things("aws:kms/key:Key").map(({ id }) => id), passphrases: passphrases(), bucket: things("cloudflare:index/r2Bucket:R2Bucket").length };
    expect(before.passphrases).toHaveLength(3);
    await stack.lose();
    const up = await stack.up();
    expect(up.imported).toBeGreaterThan(0);
    expect({ keys: things("aws:kms/key:Key").map(({ id }) => id), passphrases: passphrases(), bucket: things("cloudflare:index/r2Bucket:R2Bucket").length }).toEqual(before);
    // The escrow is sealed again beside the old one, which stays.
    expect(sealed()).toHaveLength(3);
    expect((await stack.up()).steps).toEqual([]);
    expect(sealed()).toHaveLength(3);
  });
});

describe("a first up that breaks off", () => {
  const engine = useEngine(project);

  it("is finished by the next one, which makes nothing twice and takes nothing of its own for what a lost state left behind", async () => {
    const { cloud } = engine().providers;
    const stack = await stackOfRole(engine(), "global");
    const kept = () => cloud.all().filter(({ type }) => /^aws:kms|^aws:secretsmanager|r2Bucket:R2Bucket$/.test(type)).map(({ type, location, id }) => `${type} ${location} ${id}`);
    const broken = ["backups-alias-eu-west-1", "secrets-runner-value"];
    let before: readonly string[] = [];
    for (const index of broken.keys()) {
      cloud.fail(broken.slice(index));
      await expect(stack.up()).rejects.toThrow("500 Internal Server Error");
      expect(kept()).toEqual(expect.arrayContaining([...before]));
      expect(kept().length).toBeGreaterThan(before.length);
      before = kept();
    }
    cloud.fail([]);
    const up = await stack.up();
    expect(up).toMatchObject({ replaced: 0, deleted: 0, imported: 0, updated: 0 });
    expect(kept()).toEqual(expect.arrayContaining([...before]));
    expect(cloud.all("aws:kms/key:Key")).toHaveLength(2);
    expect((await stack.up()).steps).toEqual([]);
  });
});

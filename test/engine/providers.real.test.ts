import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EngineStack } from "../harness/engine.ts";
import { text } from "../harness/providers/wire.ts";
import { useEngine } from "../harness/use-engine.ts";

/** What the other tests of the engine rest on: that the simulated providers are as strict and as honest as real ones. */
describe("the real engine with simulated providers", () => {
  const engine = useEngine(join(import.meta.dirname, "sample"));
  let made: EngineStack | undefined;
  const stack = async () => (made ??= await engine().stack("test", { "sample:kept": "true" }));

  it("previews what is not known yet, makes nothing, and then makes what it previewed", async () => {
    const preview = await (await stack()).preview();
    expect(engine().providers.cloud.all()).toEqual([]);
    const up = await (await stack()).up();
    expect(up.created).toBe(preview.created);
    expect(engine().providers.cloud.all("aws:kms/key:Key")).toMatchObject([{ location: "us-west-2", id: expect.stringMatching(/^mrk-/) as string }]);
  });

  it("finds nothing to change, in the program or in the cloud", async () => {
    expect((await (await stack()).up()).steps).toEqual([]);
    expect((await (await stack()).refresh()).steps).toEqual([]);
  });

  it("keeps secrets out of the state's text", async () => {
    const { text: state } = await (await stack()).exported();
    const password = text(engine().providers.cloud.all("aws:secretsmanager/secretVersion:SecretVersion")[0]?.inputs ?? {}, "secretString");
    const token = text(engine().providers.cloud.all("cloudflare:index/accountToken:AccountToken")[0]?.outputs ?? {}, "value");
    expect(password).toHaveLength(24);
    expect(token).toHaveLength(40);
    for (const value of [password, token]) expect(JSON.stringify(JSON.parse(state))).not.toContain(JSON.stringify(value).slice(1, -1));
  });

  it("changes in place what can be, and sees by refresh what was changed behind its back", async () => {
    const [bucket] = engine().providers.cloud.all("aws:s3/bucket:Bucket");
    if (bucket === undefined) throw new Error("no bucket");
    engine().providers.cloud.put({ ...bucket, inputs: { ...bucket.inputs, tags: { version: "foreign" } }, outputs: { ...bucket.outputs, tags: { version: "foreign" } } });
    expect((await (await stack()).refresh()).updated).toBe(1);
    expect(await (await stack()).up()).toMatchObject({ updated: 1, changes: 1 });
    expect(engine().providers.cloud.find(bucket)?.inputs["tags"]).toEqual({ version: "one" });
  });

  it("makes again what is gone from the cloud", async () => {
    const [service] = engine().providers.cloud.all("kubernetes:core/v1:Service");
    if (service === undefined) throw new Error("no service");
    engine().providers.cloud.remove(service);
    expect((await (await stack()).refresh()).deleted).toBe(1);
    expect(await (await stack()).up()).toMatchObject({ created: 1, changes: 1 });
  });

  it("refuses to destroy what is protected", async () => {
    await expect((await stack()).destroy()).rejects.toThrow(/protect/);
    expect(engine().providers.cloud.all("aws:s3/bucket:Bucket")).toHaveLength(1);
  });

  it("finds names taken where the state was lost", async () => {
    await (await stack()).lose();
    await expect((await stack()).up()).rejects.toThrow(/AlreadyExistsException: the alias exists|BucketAlreadyOwnedByYou|ResourceExistsException|10004: the bucket you tried to create already exists/);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { pulumiProgram, type EngineStack } from "../harness/engine.ts";
import { inOrder, project, stackOfRole } from "../harness/engine-stacks.ts";
import type { Thing } from "../harness/providers/cloud.ts";
import { text } from "../harness/providers/wire.ts";
import { useEngine } from "../harness/use-engine.ts";

/** What must outlive mistakes, lost states and lost regions. */
describe("what is kept", () => {
  const engine = useEngine(project);
  const stacks = new Map<string, EngineStack>();
  const stack = (role: (typeof inOrder)[number]): EngineStack => {
    const found = stacks.get(role);
    if (found === undefined) throw new Error(`${role} did not come up`);
    return found;
  };
  beforeAll(async () => {
    if ((await pulumiProgram()) === undefined) return;
    for (const role of inOrder) {
      const made = await stackOfRole(engine(), role);
      await made.up();
      stacks.set(role, made);
    }
  }, 600_000); // four stacks

  const values = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      engine()
        .providers.cloud.all("aws:secretsmanager/secretVersion:SecretVersion")
        .map(({ id, inputs }) => [id, text(inputs, "secretString") ?? ""]),
    );
  const keys = (): readonly Thing[] => engine().providers.cloud.all().filter(({ type }) => type.startsWith("aws:kms/"));

  it("is never written into a state in the clear", async () => {
    // Of a file of credentials, the half that is secret.
    const held = Object.values(values()).map((value) => /secret_access_key\s*=\s*(\S+)/.exec(value)?.[1] ?? value);
    const secrets = [...held, ...engine().providers.cloud.all("cloudflare:index/accountToken:AccountToken").map(({ outputs }) => text(outputs, "value") ?? "")];
    expect(secrets.length).toBeGreaterThan(10);
    const seenIn = (state: string) => secrets.filter((value) => value !== "" && state.replaceAll("\\\\", "\\").replaceAll('\\"', '"').includes(value));
    for (const role of inOrder) expect(seenIn((await stack(role).exported()).text), role).toEqual([]);
    expect(seenIn((await stack("global").exported("shown")).text), "they are there, encrypted").toEqual(secrets);
  });

  it.each(inOrder)("is not destroyed with %s", async (role) => {
    const before = engine().providers.cloud.all();
    await expect(stack(role).destroy()).rejects.toThrow(/protect/);
    expect(engine().providers.cloud.all()).toEqual(before);
  });

  it("is still of use in the secondary region when the primary one and its state are gone", async () => {
    const { cloud } = engine().providers;
    await stack("primary").lose();
    cloud.lose(["us-east-1"]);
    try {
      expect((await stack("secondary").preview()).steps).toEqual([]);
      expect((await stack("secondary").up()).steps).toEqual([]);
    } finally {
      cloud.lose([]);
    }
  });

  it("is taken over by a global stack whose state was lost: the same keys, the same passphrases", async () => {
    // R2's tokens are shown but once, so they are made anew, and the secrets that hold them with them.
    const lasting = () => Object.fromEntries(Object.entries(values()).filter(([id]) => !id.includes("/r2-")));
    const before = { values: lasting(), keys: keys().map(({ id, location }) => `${location} ${id}`) };
    expect(Object.keys(before.values).length).toBeGreaterThan(10);
    await stack("global").lose();
    const up = await stack("global").up();
    expect(up.imported).toBeGreaterThan(0);
    expect({ values: lasting(), keys: keys().map(({ id, location }) => `${location} ${id}`) }).toEqual(before);
    expect((await stack("global").up()).steps).toEqual([]);
  });
});

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
  });

  const values = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      engine()
        .providers.cloud.all("aws:secretsmanager/secretVersion:SecretVersion")
        .map(({ id, inputs }) => [id, text(inputs, "secretString") ?? ""]),
    );
  const keys = (): readonly Thing[] => engine().providers.cloud.all().filter(({ type }) => type.startsWith("aws:kms/"));

  it("is never written into a state in the clear", async () => {
    const secrets = [...Object.values(values()), ...engine().providers.cloud.all("cloudflare:index/accountToken:AccountToken").map(({ outputs }) => text(outputs, "value") ?? "")];
    expect(secrets.length).toBeGreaterThan(10);
    for (const role of inOrder) {
      const { text: state } = await stack(role).exported();
      const plain = state.replaceAll("\\\\", "\\").replaceAll('\\"', '"');
      expect(secrets.filter((value) => value === "" || plain.includes(value)), role).toEqual([]);
    }
  });

  it.each(inOrder)("is not destroyed with %s", async (role) => {
    const { resources } = await stack(role).exported();
    const ids = new Set(resources.filter(({ protect }) => protect === true).map(({ type, id }) => `${type} ${id ?? ""}`));
    const data = () => engine().providers.cloud.all().filter(({ type, id }) => ids.has(`${type} ${id}`));
    const before = data();
    expect(before.length).toBeGreaterThan(0);
    await expect(stack(role).destroy()).rejects.toThrow(/protect/);
    expect(data()).toEqual(before);
    await stack(role).up(); // what held no data may have gone
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

  it("is taken over by a global stack whose state was lost: the same keys, the same secrets", async () => {
    const before = { values: values(), keys: keys().map(({ id, location }) => `${location} ${id}`) };
    await stack("global").lose();
    const up = await stack("global").up();
    expect(up.imported).toBeGreaterThan(0);
    expect({ values: values(), keys: keys().map(({ id, location }) => `${location} ${id}`) }).toEqual(before);
    expect((await stack("global").up()).steps).toEqual([]);
  });
});

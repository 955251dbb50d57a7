import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EngineError, type EngineStack } from "../harness/engine.ts";
import type { PolicyMessage } from "../harness/engine-events.ts";
import { inOrder, project, stackOfRole } from "../harness/engine-stacks.ts";
import { withPack } from "../harness/policy-pack.ts";
import { useEngine } from "../harness/use-engine.ts";

/** The pack as the engine runs it, on pull requests and at every `up`. */
describe("the policy pack", () => {
  const engine = useEngine(project);
  const stacks = new Map<string, EngineStack>();

  it.each([...inOrder, "drill" as const])("lets %s pass before anything is made, and says what it could not judge yet", async (role) => {
    const stack = await stackOfRole(engine(), role);
    stacks.set(role, stack);
    const { policies } = await stack.preview({ args: await withPack(engine()) });
    expect(policies.filter(({ level }) => level !== "advisory")).toEqual([]);
    expect(policies.filter(({ policy }) => policy === "not-judged").every(({ message }) => message.includes("could not judge"))).toBe(true);
    if (role !== "drill" && role !== "primary") await stack.up(); // the next one looks up what this one made
  });

  it("has nothing left to guess at an `up`", async () => {
    const { policies } = await (stacks.get("archive") ?? (await stackOfRole(engine(), "archive"))).up({ args: await withPack(engine()) });
    expect(policies.filter(({ level, policy }) => level !== "advisory" || policy === "not-judged")).toEqual([]);
  });

  describe("of a stack that was broken", () => {
    const names = ["access-log-versioning", "blackroad-backups-dr-replica-versioning"];
    const waivers = (expires: string) => ({ settings: { waivers: names.map((name) => ({ rule: "s3-versioning", resource: `archive/${name}`, reason: "the bucket moves to another account", expires })) } });
    const file = () => join(engine().folder, "project/components/storage/guarded-bucket.ts");
    const right = 'versioningConfiguration: { status: "Enabled" }';
    const preview = async (settings: Readonly<Record<string, unknown>>) => {
      const stack = stacks.get("archive");
      if (stack === undefined) throw new Error("the archive did not come up");
      await writeFile(file(), (await readFile(file(), "utf8")).replace(right, right.replace("Enabled", "Suspended")));
      return stack.preview({ args: await withPack(engine(), settings) });
    };
    const refusal = (settings: Readonly<Record<string, unknown>>): Promise<EngineError> =>
      preview(settings).then(
        () => Promise.reject(new Error("the preview went through")),
        (error: unknown) => (error instanceof EngineError ? error : Promise.reject(new Error("no refusal of the engine's", { cause: error }))),
      );
    const failing = (policies: readonly PolicyMessage[]) => policies.filter(({ level }) => level === "mandatory");
    afterAll(async () => {
      if (stacks.has("archive")) await writeFile(file(), (await readFile(file(), "utf8")).replace(right.replace("Enabled", "Suspended"), right));
    });

    it("stops the preview, with the rule's message at the resource", async () => {
      const refused = await refusal({});
      expect(refused.message).toMatch(/^s3-versioning: .*access-log-versioning: /m);
      const own = failing(refused.summary.policies).filter(({ policy }) => policy === "s3-versioning");
      expect(own.map(({ urn }) => urn?.split("::").at(-1)).toSorted()).toEqual(names);
      for (const { message } of own) expect(message).toMatch(/versioningConfiguration\.status is "Suspended", not "Enabled"\. .*Set versioningConfiguration\.status to "Enabled"/s);
    });

    it("goes on under a waiver that holds", async () => {
      const { policies } = await preview(waivers("2999-12-31"));
      expect(failing(policies)).toEqual([]);
    });

    it("stops under a waiver that has expired, and says so", async () => {
      const own = failing((await refusal(waivers("2026-01-31"))).summary.policies);
      expect(own.filter(({ policy }) => policy === "s3-versioning").map(({ message }) => /expired on 2026-01-31/.test(message))).toEqual([true, true]);
    });

    it("stops under settings that are none", async () => {
      await expect(preview({ settings: { waivers: [{ rule: "s3-versioning", resource: "archive/x", expires: "2999-12-31" }] } })).rejects.toThrow(/waivers.*reason/s);
    });
  });
});

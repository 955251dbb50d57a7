import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerPlan } from "../../cli/commands/plan.ts";
import type { CliContext } from "../../cli/context.ts";
import { blackroad } from "../../plan/blackroad.ts";
import type { Rule, StackRule } from "../../policies/core/rule.ts";
import { s3Versioning } from "../../policies/rules/objects/s3-versioning.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";

const versioning = "aws:s3/bucketVersioning:BucketVersioning";
const resource = (stack: string, name: string, inputs: object) => ({ urn: `urn:pulumi:${stack}::blackroad-dr::${versioning}::${name}`, type: versioning, custom: true, inputs, parent: `urn:pulumi:${stack}::blackroad-dr::pulumi:pulumi:Stack::blackroad-dr-${stack}` });
const good = { versioningConfiguration: { status: "Enabled" } };
const bad = { versioningConfiguration: { status: "Suspended" } };
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };

/** Needs all regions: a bucket in each of two. */
const twoRegions: StackRule = {
  kind: "stack", scope: "system", id: "two-regions", severity: "high", enforcement: "mandatory", protects: "One region can be lost.", fix: "Have two.", breaks: {},
  judge(resources, verdict) {
    const [first] = resources;
    if (first !== undefined && new Set(resources.map(({ facts }) => facts.stack)).size < 2) verdict.violation(first, "", "is in the only region");
  },
};
const rules: readonly Rule[] = [s3Versioning, twoRegions];

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "dr-plan-states-"))));
afterAll(() => rm(folder, { recursive: true }));
const file = async (name: string, content: unknown): Promise<string> => {
  await writeFile(join(folder, name), JSON.stringify(content));
  return join(folder, name);
};
const state = (name: string, ...resources: object[]) => file(`${name}.json`, { version: 3, deployment: { manifest: {}, resources } });

async function run(...args: readonly string[]): Promise<{ human: string; data: unknown; exitCode: number }> {
  const outcome = { human: "", data: undefined as unknown, exitCode: 0 };
  const context: CliContext = {
    print: (human, data) => void Object.assign(outcome, { human, data }),
    setExitCode: (exitCode) => void Object.assign(outcome, { exitCode }),
    openRun: () => Promise.reject(new Error("dr plan needs no configuration")),
    atEnd: () => undefined, report: () => undefined,
    signal: new AbortController().signal,
  };
  const program = new Command();
  registerPlan(program, context, blackroad, { now: () => new Date("2026-11-23T02:00:00Z") }, rules);
  await program.parseAsync(["plan", ...args], { from: "user" });
  return outcome;
}

describe("dr plan --state", () => {
  it("ends with 0 where every rule is kept, also those about all regions", async () => {
    const result = await run("--state", await state("a", resource("primary", "backups", good)), "--state", await state("b", resource("archive", "replica", good)));
    expect(result).toMatchObject({ exitCode: 0, data: { kept: true, stacks: ["primary", "archive"], resources: 2, violations: [] } });
    expect(result.human).toContain("Every rule is kept.");
  });

  it("ends with 1, and says which resource of which stack breaks what and how to mend it", async () => {
    const { human, data, exitCode } = await run("--state", await state("c", resource("primary", "backups", good), resource("primary", "logs", bad)));
    expect(exitCode).toBe(exitCodes.failed);
    expect(data).toMatchObject({ kept: false, violations: [{ rule: "s3-versioning" }, { rule: "two-regions" }] });
    expect(human.replaceAll(/\s+/g, " ")).toContain('s3-versioning: primary/logs: versioningConfiguration.status is "Suspended", not "Enabled".');
    for (const line of human.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it("says what is secret in a state and was not judged", async () => {
    const { human, exitCode } = await run("--state", await state("d", resource("primary", "a", { versioningConfiguration: secret }), resource("archive", "b", { versioningConfiguration: { status: "[secret]" } })));
    expect(exitCode).toBe(0);
    expect(human.replaceAll(/\s+/g, " ")).toContain("s3-versioning could not judge a (versioningConfiguration.status); b (versioningConfiguration.status)");
  });

  it("reads secrets that were exported in plain", async () => {
    const shown = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify({ status: "Suspended" }) };
    expect((await run("--state", await state("e", resource("primary", "a", { versioningConfiguration: shown }), resource("archive", "b", good)))).data).toMatchObject({ violations: [{ rule: "s3-versioning" }] });
  });

  it("leaves out what is not the stack's: what is being deleted, what is only read, the stack itself", async () => {
    const { data } = await run("--state", await state("f", resource("primary", "a", good), { ...resource("primary", "old", bad), delete: true }, { ...resource("primary", "other", bad), external: true }, { urn: "urn:pulumi:primary::blackroad-dr::pulumi:pulumi:Stack::x", type: "pulumi:pulumi:Stack" }), "--state", await state("g", resource("archive", "b", good)));
    expect(data).toMatchObject({ kept: true, resources: 2 });
  });

  it("takes the settings of the pack: waivers, also expired ones, and how strict a rule is", async () => {
    const states = ["--state", await state("h", resource("primary", "logs", bad), resource("archive", "b", good))];
    const waiver = { rule: "s3-versioning", resource: "primary/logs", reason: "moves out next month", expires: "2026-12-31" };
    expect(await run(...states, "--settings", await file("1.json", { settings: { waivers: [waiver] } }))).toMatchObject({ exitCode: 0, data: { waived: [{ waiver }] } });
    const expired = await run(...states, "--settings", await file("2.json", { settings: { waivers: [{ ...waiver, expires: "2026-11-22" }] } }));
    expect(expired.exitCode).toBe(exitCodes.failed);
    expect(expired.human.replaceAll(/\s+/g, " ")).toContain("expired on 2026-11-22");
    expect(await run(...states, "--settings", await file("3.json", { "s3-versioning": "advisory" }))).toMatchObject({ exitCode: 0, data: { advice: [{ rule: "s3-versioning" }] } });
    expect(await run(...states, "--settings", await file("4.json", { "s3-versioning": "disabled" }))).toMatchObject({ exitCode: 0, data: { advice: [], violations: [] } });
  });

  it.each([
    ["a file that is not there", () => Promise.resolve("nowhere.json"), /cannot be read/],
    ["a file that is no export", () => file("no.json", { resources: [] }), /not what `pulumi stack export` writes/],
    ["a stack without anything", () => state("empty"), /holds nothing/],
    ["what is no text of JSON's objects", () => file("list.json", [1, 2]), /not what `pulumi stack export` writes/],
    ["an update that was broken off", () => file("pending.json", { version: 3, deployment: { resources: [resource("primary", "a", good)], pending_operations: [{ type: "creating", resource: {} }] } }), /broken off.*pulumi refresh/],
    ["a secret that is no JSON", () => state("torn", resource("primary", "a", { versioningConfiguration: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: "{" } })), /JSON/],
  ])("refuses %s", async (_, path, message) => {
    const failure = await run("--state", await path()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DrError);
    expect(String(failure)).toMatch(message);
  });

  it("refuses the same stack twice, an old export beside a new one: each copy would count twice", async () => {
    const states = ["--state", await state("j", resource("primary", "a", good)), "--state", await state("j-old", resource("primary", "b", good))];
    await expect(run(...states)).rejects.toThrow(/the stack primary is in .*j\.json as well/);
  });

  it("refuses settings that are wrong", async () => {
    const states = ["--state", await state("i", resource("primary", "a", good))];
    await expect(run(...states, "--settings", await file("5.json", { "s3-versoning": "advisory" }))).rejects.toThrow(/s3-versoning: there is no such rule/);
  });
});

import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withDrillStack, type DrillStackEvent, type DrillStackOptions } from "../../../drill/stack/drill-stack.ts";
import { sweepDrillStacks } from "../../../drill/stack/sweep.ts";
import { openWorkspace } from "../../../drill/stack/workspace.ts";
import { days, hours } from "../../../plan/units.ts";
import { DrError } from "../../../runner/errors.ts";
import { pulumiProgram, withoutPulumi } from "../../harness/engine.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

/** A program whose resources are files: made by `up`, gone after `destroy`, and failing where they are told to. */
const program = `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config("drill");
const folder = config.require("folder");
const provider = {
  async create({ name, folder, fails, slow }) {
    const fs = await import("node:fs");
    if (fails) throw new Error("it cannot be made");
    fs.writeFileSync(folder + "/" + name, "");
    if (slow) await new Promise((resolve) => setTimeout(resolve, 60_000));
    return { id: folder + "/" + name, outs: { folder } };
  },
  async delete(id, { folder }) {
    const fs = await import("node:fs");
    if (fs.existsSync(folder + "/stuck")) throw new Error("it cannot be deleted");
    fs.rmSync(id);
  },
};
class File extends pulumi.dynamic.Resource {
  constructor(name, props, options) { super(provider, name, { name, folder, ...props }, options); }
}
class Environment extends pulumi.ComponentResource {
  constructor() {
    super("blackroad:drill:RecoveryEnvironment", "recovery", { expiresAt: JSON.parse(config.require("drill")).expiresAt });
    const first = new File("first", {}, { parent: this });
    new File("second", { fails: config.get("fails") === "true", slow: config.get("slow") === "true" }, { parent: this, dependsOn: [first] });
  }
}
new Environment();
export const drill = config.require("drill");
`;

let root: string;
let things: string;
let events: DrillStackEvent[];
let remove: (() => Promise<void>) | undefined;
let options: DrillStackOptions;

beforeEach(async (context) => {
  context.skip((await pulumiProgram()) === undefined, withoutPulumi);
  const temporary = await temporaryFolder("drill-stack");
  remove = () => temporary.remove();
  root = temporary.path;
  things = join(root, "things");
  events = [];
  for (const name of ["project", "state", "home", "things"]) await mkdir(join(root, name));
  await writeFile(join(root, "passphrase"), "a passphrase of a test", { mode: 0o600 });
  await writeFile(join(root, "project/Pulumi.yaml"), "name: drill\nmain: index.js\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
  await writeFile(join(root, "project/package.json"), JSON.stringify({ name: "drill", type: "module" }));
  await writeFile(join(root, "project/index.js"), program);
  await symlink(resolve(import.meta.dirname, "../../../node_modules"), join(root, "project/node_modules"));
  options = {
    workDir: join(root, "project"),
    backendUrl: `file://${join(root, "state")}`,
    passphraseFile: join(root, "passphrase"),
    pulumiHome: join(root, "home"),
    env: { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" },
    timeToLive: hours(1),
    config: (drill) => ({ "drill:folder": things, "drill:drill": JSON.stringify(drill) }),
    onEvent: (event) => void events.push(event),
  };
});
afterEach(async () => {
  await remove?.();
  remove = undefined;
});

const configured = (more: Readonly<Record<string, string>>): DrillStackOptions => ({ ...options, config: (drill) => ({ ...options.config(drill), ...more }) });
const failure = (work: Promise<unknown>): Promise<DrError> =>
  work.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => (error instanceof DrError ? error : Promise.reject(new Error("no DrError", { cause: error }))),
  );
/** Nothing of a drill is left: no resource, no stack, no configuration. */
async function expectNothingLeft(): Promise<void> {
  expect(readdirSync(things)).toEqual([]);
  expect(await (await openWorkspace(options)).listStacks()).toEqual([]);
  expect(readdirSync(options.workDir).filter((name) => name.startsWith("Pulumi.dr-drill"))).toEqual([]);
}

describe("a drill stack", () => {
  it("is up while it is worked with, under a name and until a time of its own, and gone after it", async () => {
    const seen = await withDrillStack(options, (drill) => Promise.resolve({ drill, files: readdirSync(things) }));
    expect(seen.files).toEqual(["first", "second"]);
    expect(seen.drill.name).toMatch(/^dr-drill-\d{8}-[0-9a-f]{4}$/);
    expect(JSON.parse(String(seen.drill.outputs["drill"]?.value))).toEqual({ name: seen.drill.name, expiresAt: seen.drill.expiresAt });
    expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(["prepare", "up", "wait", "destroy", "remove"]));
    expect(events.map(({ message }) => message)).toEqual(expect.arrayContaining([expect.stringMatching(/^create .* first$/), expect.stringMatching(/^delete .* second$/)]));
    await expectNothingLeft();
  });

  it("is torn down where the work with it fails, and the work's failure is what is told", async () => {
    await expect(withDrillStack(options, () => Promise.reject(new Error("the data is not right")))).rejects.toThrow("the data is not right");
    await expectNothingLeft();
  });

  it("is torn down where it comes up half way", async () => {
    const error = await failure(withDrillStack(configured({ "drill:fails": "true" }), () => Promise.resolve()));
    expect(error).toMatchObject({ kind: "failed", what: expect.stringContaining("did not come up") as string });
    expect(events.map(({ message }) => message)).toEqual(expect.arrayContaining([expect.stringMatching(/^create .* first$/), expect.stringMatching(/^delete .* first$/)]));
    await expectNothingLeft();
  });

  it("is torn down where it is stopped while it comes up", async () => {
    const stop = new AbortController();
    const running = withDrillStack({ ...configured({ "drill:slow": "true" }), signal: stop.signal, onEvent: (event) => { events.push(event); if (/^create .* second$/.test(event.message)) setTimeout(() => stop.abort(), 1_000); } }, () => Promise.resolve());
    expect(await failure(running)).toMatchObject({ kind: "interrupted" });
    await rm(join(things, "second"), { force: true }); // made by a provider that was killed before it could say so
    await expectNothingLeft();
  });

  it("is not begun where it is stopped before", async () => {
    expect(await failure(withDrillStack({ ...options, signal: AbortSignal.abort() }, () => Promise.resolve()))).toMatchObject({ kind: "interrupted" });
    expect(existsSync(join(root, "state/.pulumi/stacks"))).toBe(false);
  });

  it("is kept, and named, where its resources cannot be destroyed, and a sweep removes it when they can", async () => {
    const stuck = join(things, "stuck");
    const error = await failure(withDrillStack(options, () => writeFile(stuck, "")));
    expect(error.what).toMatch(/the drill stack could not be destroyed: .*/);
    const [left] = await (await openWorkspace(options)).listStacks();
    expect(error.where).toBe(left?.name);
    const late = { now: () => new Date(Date.now() + hours(2) * 1_000) };
    const first = await sweepDrillStacks({ ...options, clock: late });
    expect(first).toMatchObject({ removed: [], running: [], left: [{ stack: left?.name }] });
    await rm(stuck);
    expect(await sweepDrillStacks({ ...options, clock: late })).toEqual({ removed: [left?.name], running: [], left: [] });
    await expectNothingLeft();
  });

  it("needs a passphrase that opens the state", async () => {
    const error = await failure(withDrillStack({ ...options, passphraseFile: join(root, "none") }, () => Promise.resolve()));
    expect(error).toMatchObject({ kind: "unavailable", what: expect.stringContaining("could not be made") as string });
  });
});

describe("a sweep of drill stacks", () => {
  /** What a killed drill leaves: a stack that is up, and nobody who knows of it. */
  async function abandoned(name: string, expiresAt: string): Promise<void> {
    const stack = await Stack.create(name, await openWorkspace(options));
    await stack.setAllConfig({ "drill:folder": { value: things }, "drill:drill": { value: JSON.stringify({ name, expiresAt }) } });
    await stack.up();
  }

  it("removes what has expired, also from another machine, and leaves alone what has not, and what is no drill", async () => {
    await abandoned("dr-drill-20261120-aaaa", "2026-11-20T04:00:00Z");
    await rm(join(options.workDir, "Pulumi.dr-drill-20261120-aaaa.yaml")); // that was on the machine that is gone
    await Stack.create("dr-drill-20261123-bbbb", await openWorkspace(options));
    await Stack.create("primary", await openWorkspace(options));
    const now = () => new Date("2026-11-23T12:00:00Z");
    expect(await sweepDrillStacks({ ...options, clock: { now } })).toEqual({ removed: ["dr-drill-20261120-aaaa"], running: ["dr-drill-20261123-bbbb"], left: [] });
    expect(readdirSync(things)).toEqual([]);
    const later = () => new Date(Date.parse("2026-11-23T00:00:00Z") + days(2) * 1_000);
    expect((await sweepDrillStacks({ ...options, clock: { now: later } })).removed).toEqual(["dr-drill-20261123-bbbb"]);
    expect((await (await openWorkspace(options)).listStacks()).map(({ name }) => name)).toEqual(["primary"]);
  });
});

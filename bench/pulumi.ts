import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pulumiProgram, startEngine, withoutPulumi, type Engine, type EngineStack } from "../test/harness/engine.ts";
import { inOrder, project, stackOfRole } from "../test/harness/engine-stacks.ts";
import { temporaryFolder } from "../test/harness/temporary.ts";
import type { BenchRow } from "./row.ts";

const reach = 1.5;
const rounds = 3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The median of some rounds; what is compared takes turns, so that a busy minute falls on all alike. */
async function inTurns(verbs: readonly (() => Promise<{ readonly seconds: number }>)[]): Promise<readonly number[]> {
  const seconds = verbs.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) for (const [index, verb] of verbs.entries()) seconds[index]?.push((await verb()).seconds);
  return seconds.map(median);
}

/**
 * Which Pulumi packages a run of a stack loads, and which it uses: registers something of, or asks something of.
 * A module that is required first notes at the end what was loaded.
 */
async function packagesOf(engine: Engine, stack: EngineStack): Promise<{ readonly loaded: readonly string[]; readonly used: readonly string[] }> {
  const file = join(engine.folder, `${stack.name}.loaded`);
  const hook = join(engine.folder, "loaded.cjs");
  await writeFile(hook, `process.on("exit", () => { const names = new Set(Object.keys(require("module")._cache).map((path) => /node_modules\\/@pulumi\\/([a-z]+)\\//.exec(path)?.[1]).filter(Boolean)); if (names.size > 0) require("fs").writeFileSync(process.env.DR_LOADED, [...names].sort().join("\\n")); });`);
  await stack.preview({ env: { NODE_OPTIONS: `--require=${hook}`, DR_LOADED: file } });
  const { resources } = await stack.exported();
  const used = new Set(resources.map(({ type }) => (type.startsWith("pulumi:providers:") ? type.split(":")[2] : type.split(":")[0]) ?? ""));
  return { loaded: (await readFile(file, "utf8")).split("\n").filter((name) => name !== "pulumi"), used: [...used] };
}

/** A program that does nothing but import what another one does, compiled as seldom as the stacks are (stacks/index.ts). */
async function importsOnly(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "Pulumi.yaml"), JSON.stringify({ name: "imports-only", main: "index.ts", runtime: { name: "nodejs", options: { typescript: false } } }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "imports-only", type: "module" }));
  const imports = ["pulumi", ...packages].map((name) => `  await import("@pulumi/${name}");`);
  await writeFile(join(folder, "index.ts"), ['import { enableCompileCache } from "node:module";', "enableCompileCache(`${process.env.PULUMI_HOME}/compile-cache`);", "export default async function () {", ...imports, "}"].join("\n"));
}

function row(what: string, against: string, seconds: number, base: number, also = true): BenchRow {
  const ratio = seconds / base;
  return { what, against, reach: `≤ ${reach}`, measured: `${ratio.toFixed(2)} (${seconds.toFixed(1)} s against ${base.toFixed(1)} s)`, ok: also && ratio <= reach };
}

/** The engine's time with simulated providers, which answer at once: what is left is the programs' own. */
export async function benchPulumi(): Promise<BenchRow[]> {
  if ((await pulumiProgram()) === undefined) return [{ what: "preview and up of the stacks", against: "a program that only imports the same packages", reach: `≤ ${reach}`, measured: `skipped: ${withoutPulumi}`, ok: true }];
  const bare = await temporaryFolder("bench-pulumi");
  const engine = await startEngine(project);
  let empty: Engine | undefined;
  try {
    const stacks: { stack: EngineStack; resources: number; unused: readonly string[]; loaded: readonly string[] }[] = [];
    for (const role of inOrder) {
      const stack = await stackOfRole(engine, role);
      const { created } = await stack.up();
      const { loaded, used } = await packagesOf(engine, stack);
      stacks.push({ stack, resources: created, loaded, unused: loaded.filter((name) => !used.includes(name)) });
    }
    const largest = stacks.toSorted((a, b) => b.resources - a.resources)[0];
    if (largest === undefined) throw new Error("there is no stack");
    await importsOnly(join(bare.path, "program"), largest.loaded);
    empty = await startEngine(join(bare.path, "program"));
    const baseline = await empty.stack("bare");
    const [imports = 0, preview = 0, again = 0] = await inTurns([() => baseline.preview(), () => largest.stack.preview(), () => largest.stack.up()]);
    const unused = stacks.filter((one) => one.unused.length > 0);
    return [
      row(`pulumi preview of ${largest.stack.name} (${largest.resources} resources)`, "a program that only imports the same packages", preview, imports),
      row(`a second pulumi up of ${largest.stack.name}, with nothing to change`, "its preview", again, preview, (await largest.stack.up()).changes === 0),
      { what: "packages that a stack loads and does not use", against: "none", reach: "0", measured: unused.length === 0 ? "0" : unused.map(({ stack, unused: names }) => `${stack.name}: ${names.join(", ")}`).join("; "), ok: unused.length === 0 },
    ];
  } finally {
    await empty?.close();
    await engine.close();
    await bare.remove();
  }
}

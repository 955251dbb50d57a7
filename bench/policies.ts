import { blackroad } from "../plan/blackroad.ts";
import { judgeAll } from "../policies/core/judge.ts";
import type { ResourceFacts } from "../policies/core/resource.ts";
import { allRules } from "../policies/rules/all.ts";
import { pulumiProgram, startEngine, withoutPulumi } from "../test/harness/engine.ts";
import { project, stackOfRole } from "../test/harness/engine-stacks.ts";
import { shippedStacks } from "../test/harness/policies.ts";
import { withPack } from "../test/harness/policy-pack.ts";
import type { BenchRow } from "./row.ts";

const many = 2_000;
const most = 1_000; // ms
const reach = 1.5;
const rounds = 3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** What the shipped stacks register, as often as it takes, each time as stacks of their own. */
function repeated(resources: readonly ResourceFacts[], count: number): readonly ResourceFacts[] {
  return Array.from({ length: count }, (_, index) => {
    const one = resources[index % resources.length];
    if (one === undefined) throw new Error("the shipped stacks register nothing");
    const copy = Math.floor(index / resources.length);
    return copy === 0 ? one : { ...one, urn: `${one.urn}-${copy}`, stack: `${one.stack}-${copy}` };
  });
}

/** Every rule over everything, as `dr plan --state` asks them. */
async function inProcess(): Promise<BenchRow> {
  const resources = repeated(await shippedStacks(), many);
  const took = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    judgeAll(allRules, resources, { plan: blackroad, production: true }, { system: true });
    return performance.now() - begun;
  });
  const time = median(took);
  return { what: `${allRules.length} rules over ${many} registered resources, in process`, against: "a second", reach: `≤ ${most} ms`, measured: `${time.toFixed(0)} ms`, ok: time <= most };
}

async function withEngine(): Promise<BenchRow> {
  const row = { what: "pulumi preview of the largest stack with the pack", against: "the same without it", reach: `≤ ${reach}` };
  if ((await pulumiProgram()) === undefined) return { ...row, measured: `skipped: ${withoutPulumi}`, ok: true };
  const engine = await startEngine(project);
  try {
    for (const role of ["global", "archive"] as const) await (await stackOfRole(engine, role)).up();
    const stack = await stackOfRole(engine, "secondary");
    const args = await withPack(engine);
    const bare: number[] = [];
    const judged: number[] = [];
    // They take turns, so that a busy minute falls on both.
    for (let round = 0; round < rounds; round += 1) {
      bare.push((await stack.preview()).seconds);
      judged.push((await stack.preview({ args })).seconds);
    }
    const ratio = median(judged) / median(bare);
    return { ...row, measured: `${ratio.toFixed(2)} (${median(judged).toFixed(1)} s against ${median(bare).toFixed(1)} s)`, ok: ratio <= reach };
  } finally {
    await engine.close();
  }
}

export const benchPolicies = async (): Promise<BenchRow[]> => [await inProcess(), await withEngine()];

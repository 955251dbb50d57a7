import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { scheduleOf } from "../../plan/find.ts";
import { limitsOf, runSize, runTime } from "../../plan/growth.ts";
import { formatDuration, formatSize, mib } from "../../plan/units.ts";

const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "scale.md"), "utf8");
const lines = text.split("\n");
const limits = limitsOf(blackroad);
/** Beyond this a second system is planned, not a larger one. */
const told = 12;

/** The beginnings of lines that the document has not. */
const missing = (expected: readonly string[]): readonly string[] => expected.filter((begin) => !lines.some((line) => line.startsWith(begin)));

/** What `npm run bench scale` printed: `a checkpoint of 300000 agents …` and `420 MiB, 1 min 3 s (4712 agents a second), …`. */
const measured = [...text.matchAll(/^\| (checkpoint|recovery) of (\d+) agents .*\| ≤ 512 MiB resident \| (\d+) MiB, [^(]*\((\d+) agents a second\), (.*) \| reached \|$/gm)].map(([, what = "", agents = "", peak = "", rate = "", more = ""]) => ({ what, agents: Number(agents), peak: Number(peak), rate: Number(rate), more }));
const of = (what: string, agents: number) => {
  const found = measured.find((one) => one.what === what && one.agents === agents);
  if (found === undefined) throw new Error(`docs/scale.md has no measured ${what} of ${agents} agents`);
  return found;
};

describe("the document of scale, on paper", () => {
  it("has what each store holds and changes, as planned", () => {
    expect(missing(blackroad.stores.map(({ name, expectedSize, dailyChange }) => `| ${name} | ${formatSize(expectedSize)} | ${formatSize(expectedSize / blackroad.agents)} | ${formatSize(dailyChange)} |`))).toEqual([]);
  });

  it("has each run beside its deadline, as dr plan reckons it", () => {
    const runs = blackroad.schedules.filter(({ writes }) => writes !== "nothing").map((schedule) => {
      const factor = limits.find(({ kind, what }) => kind === "deadline" && what === schedule.name)?.factor;
      return `| ${schedule.name} | ${formatSize(runSize(blackroad, schedule))} | ${formatDuration(runTime(blackroad, schedule))} | ${formatDuration(schedule.deadline)} | ${factor === undefined ? "–" : `${factor.toFixed(1)} times`} |`;
    });
    expect(missing(runs)).toEqual([]);
  });

  it("names the plan's rates, and the size of a vector that follows from it", () => {
    expect(text).toContain(`the plan's upload rate (${formatSize(blackroad.rates.upload)}/s`);
    expect(text).toContain(`${blackroad.rates.restore / 1e6} MB/s: several machines`);
    const vectors = blackroad.stores.find(({ name }) => name === "vectors")?.expectedSize ?? 0;
    expect(text).toContain(`ten million vectors of ${Math.round(vectors / 1e7)} bytes each`);
  });

  it("has what ends first, as dr plan says it", () => {
    expect(missing(limits.slice(0, told).map(({ kind, what, factor = 0 }) => `| ${factor.toFixed(1)} times | ${Math.floor(blackroad.agents * factor).toLocaleString("en")} | ${kind} | ${what} | `))).toEqual([]);
  });
});

describe("the document of scale, measured", () => {
  it("has 300,000 agents within 512 MiB", () => {
    for (const what of ["checkpoint", "recovery"]) expect(of(what, 300_000).peak * mib(1)).toBeLessThanOrEqual(mib(512));
  });

  it("concludes from the measurement what follows from it", () => {
    const deadline = scheduleOf(blackroad, "agents-checkpoint")?.deadline ?? 0;
    const [checkpoint, recovery] = [of("checkpoint", 300_000), of("recovery", 300_000)];
    expect(text).toContain(`${checkpoint.rate} agents a second × ${formatDuration(deadline)} = ${(checkpoint.rate * deadline).toLocaleString("en")} agents`);
    expect(text).toContain(`${recovery.rate} agents a second: the plan's ${blackroad.agents.toLocaleString("en")} agents in ${formatDuration(blackroad.agents / recovery.rate)}`);
  });
});

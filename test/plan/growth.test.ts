import { describe, expect, it } from "vitest";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { grown, limitsOf, runSize, runTime } from "../../plan/growth.ts";
import { scheduleOf } from "../../plan/find.ts";
import { gib, kib, mibPerSecond } from "../../plan/units.ts";
import { backendIn, changed } from "./drafts.ts";

const schedule = (name: Parameters<typeof scheduleOf>[1]) => {
  const found = scheduleOf(blackroad, name);
  if (found === undefined) throw new RangeError(`the plan has no ${name}`);
  return found;
};

describe("a plan that grows", () => {
  it("has as many times the agents, data, changes and log, and the same promises", () => {
    const twice = grown(blackroad, 2);
    expect(twice.agents).toBe(60_000);
    expect(twice.postgres.walPerDay).toBe(2 * blackroad.postgres.walPerDay);
    for (const [index, store] of twice.stores.entries()) expect([store.expectedSize, store.dailyChange]).toEqual([2 * (blackroad.stores[index]?.expectedSize ?? 0), 2 * (blackroad.stores[index]?.dailyChange ?? 0)]);
    expect([twice.system, twice.schedules, twice.rates]).toEqual([blackroad.system, blackroad.schedules, blackroad.rates]);
  });

  it("writes with a run what its schedule reads", () => {
    expect(runSize(blackroad, schedule("vectors-snapshot"))).toBe(gib(6));
    expect(runSize(blackroad, schedule("agents-checkpoint"))).toBe(30_000 * kib(24));
    expect(runTime(blackroad, schedule("redis-snapshot"), { ...blackroad.rates, upload: mibPerSecond(64) })).toBe(32);
  });
});

describe("the limits of a plan", () => {
  const limits = limitsOf(blackroad);

  it("are beyond its own size: what is planned holds", () => {
    expect(limits.filter(({ factor }) => factor !== undefined && factor < 1)).toEqual([]);
    expect(limits.map(({ factor }) => factor ?? Infinity)).toEqual(limits.map(({ factor }) => factor ?? Infinity).toSorted((a, b) => a - b));
  });

  it("are where the promise breaks, and not before", () => {
    for (const { kind, what, factor } of limits) {
      if (kind !== "tier" || factor === undefined) continue;
      const verdict = (size: number) => assess(grown(blackroad, size)).tiers.find(({ tier }) => tier === what)?.verdict;
      expect([verdict(factor), verdict(factor * 1.01)]).toEqual(["met", "not met"]);
    }
  });

  it("of a run is where its data takes as long as its deadline allows", () => {
    const { deadline } = schedule("vectors-snapshot");
    const factor = (deadline - blackroad.rates.startUp) / runTime(blackroad, schedule("vectors-snapshot"));
    expect(limits.find(({ kind, what }) => kind === "deadline" && what === "vectors-snapshot")?.factor).toBeCloseTo(factor, 2);
  });

  it("do not exist where nothing grows with the data: a replica takes over as quickly", () => {
    expect(limits.find(({ what }) => what === "redis, process: RTO")).toEqual({ kind: "objective", what: "redis, process: RTO", factor: undefined });
  });

  it("are nearer where the line is slower", () => {
    const slow = limitsOf(blackroad, { rates: { ...blackroad.rates, upload: mibPerSecond(40) } });
    const of = (all: typeof limits) => all.find(({ kind, what }) => kind === "deadline" && what === "redis-snapshot")?.factor ?? 0;
    expect(of(slow)).toBeCloseTo(of(limits) / 2, 2);
  });

  it("are below 1 where the plan does not hold as it is", () => {
    const plan = changed((draft) => (backendIn(draft, "s3").quota = gib(10)));
    expect(limitsOf(plan)[0]).toMatchObject({ kind: "quota", what: "s3" });
    expect(limitsOf(plan)[0]?.factor).toBeLessThan(1);
  });
});

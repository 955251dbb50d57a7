import { describe, expect, it } from "vitest";
import { predictRun, type PredictionInput } from "../../drill/prediction.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { scalePlan } from "../../plan/scale.ts";
import { bytes, bytesPerSecond, mib, seconds } from "../../plan/units.ts";

const rate = bytesPerSecond(mib(10));
const warm: PredictionInput = {
  plan: scalePlan(blackroad, 20),
  scope: "region",
  tier: "warm",
  rates: { source: "a rehearsal", restore: rate, walFetch: rate, walReplay: rate, redisLoad: rate, download: rate, upload: rate, validate: rate, startUp: seconds(1), promote: seconds(2) },
  stores: [
    { store: "postgres", size: mib(100), wal: mib(50), checkSeconds: 4 },
    { store: "redis", size: mib(20), checkSeconds: 2 },
  ],
  detectSeconds: 3,
  provisionSeconds: 5,
  startSeconds: 1,
  degraded: false,
  oneAfterAnother: true,
};

const rtoOf = (input: PredictionInput, store: string): number => predictRun(input).get(store)?.rto.predicted ?? Number.NaN;

describe("the prediction of a drill's run", () => {
  it("adds up detecting, provisioning, the tools' work and the check, each with its margin", () => {
    // 1 s start of dr, 1 s start-up, 10 s files, 5 s WAL, 5 s replay, 2 s promotion, each times 1.5; 4 s check, times 1.5
    expect(rtoOf(warm, "postgres")).toBeCloseTo(3 + 5 + 24 * 1.5 + 4 * 1.5);
  });

  it("lets the next store wait for the one before it to be recovered, and not for its check", () => {
    // 1 s start of dr, 1 s start-up, 2 s download, 2 s load
    expect(rtoOf(warm, "redis")).toBeCloseTo(3 + 5 + 24 * 1.5 + 6 * 1.5 + 2 * 1.5);
  });

  it("lets the hot tier's stores fail over by themselves, and be checked one after the other", () => {
    const hot: PredictionInput = { ...warm, tier: "hot", oneAfterAnother: false };
    const own = rtoOf({ ...hot, stores: warm.stores.slice(0, 1) }, "postgres");
    expect(rtoOf(hot, "postgres")).toBe(own);
    expect(rtoOf(hot, "redis")).toBeCloseTo(own + 2 * 1.5);
  });

  it("grows with what is moved and with the WAL, and falls with no rate", () => {
    const [postgres, redis] = warm.stores;
    if (postgres === undefined || redis === undefined) throw new Error("two stores are expected");
    expect(rtoOf({ ...warm, stores: [{ ...postgres, size: mib(200) }, redis] }, "postgres")).toBeGreaterThan(rtoOf(warm, "postgres"));
    expect(rtoOf({ ...warm, stores: [{ ...postgres, wal: bytes(0) }, redis] }, "postgres")).toBeLessThan(rtoOf(warm, "postgres"));
    expect(rtoOf({ ...warm, stores: [postgres, { ...redis, size: mib(40) }] }, "redis")).toBeGreaterThan(rtoOf(warm, "redis"));
  });

  it("tells the plan's objective beside its figure, and what is accepted by name", () => {
    const figures = predictRun(warm);
    expect(figures.get("postgres")?.rto.objective).toBe(warm.plan.tiers.warm.rto);
    expect(figures.get("postgres")?.rpo.accepted?.reason).toMatch(/asynchronous/);
    expect(figures.get("redis")?.rto.basis).toMatch(/check 3 s/);
  });
});

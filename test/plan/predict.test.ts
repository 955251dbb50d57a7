import { describe, expect, it } from "vitest";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { predict, type PredictInput } from "../../plan/predict.ts";
import { scalePlan } from "../../plan/scale.ts";
import { bytes, bytesPerSecond, gib, mib, minutes, seconds } from "../../plan/units.ts";

const automatic = { detect: seconds(0), decide: seconds(0), provision: seconds(0), switchOver: seconds(0) };
const rates = {
  source: "a test",
  restore: bytesPerSecond(100),
  walFetch: bytesPerSecond(10),
  walReplay: bytesPerSecond(20),
  redisLoad: bytesPerSecond(50),
  download: bytesPerSecond(25),
  upload: bytesPerSecond(25),
  validate: bytesPerSecond(200),
  startUp: seconds(3),
  promote: seconds(2),
};
const input: PredictInput = { store: "postgres", scope: "region", tier: "hot", rates, size: bytes(1_000), times: automatic };

describe("a drill's prediction", () => {
  it("of the hot tier of PostgreSQL is lease, loop and promotion, and the replica's lag", () => {
    expect(predict(blackroad, input)).toMatchObject({ copy: "asynchronous-replica", rpo: 1, rto: 35, breakdown: { detect: 20, decide: 5, replay: 10 } });
  });

  it("of the hot tier of Redis is Sentinel's silence and failover", () => {
    expect(predict(blackroad, { ...input, store: "redis" })).toMatchObject({ copy: "far-replica", rpo: 1, rto: 15 });
  });

  it("of a lost server takes the near replica: no committed row is lost", () => {
    expect(predict(blackroad, { ...input, scope: "process" })).toMatchObject({ copy: "synchronous-replica", rpo: 0 });
  });

  it("of the warm tier of PostgreSQL is start, fetch, replay, promotion and validation at the measured rates", () => {
    const { breakdown, rto, rpo } = predict(blackroad, { ...input, tier: "warm", walToReplay: bytes(100) });
    expect(breakdown).toMatchObject({ fetch: 3 + 10 + 10, replay: 2 + 5, validate: 5 });
    expect([rto, rpo]).toEqual([35, 75]);
  });

  it("of the warm tier of Redis is start, download, load and validation, and its loss the interval and a run", () => {
    const run = { ...rates, runs: { "redis-snapshot": seconds(4) } };
    expect(predict(blackroad, { ...input, store: "redis", tier: "warm", rates: run })).toMatchObject({ rpo: 304, rto: 3 + 40 + 20 + 5 });
  });

  it("reckons with the slow push only where a repository had been dead before", () => {
    const warm = { ...input, tier: "warm" } as const;
    expect(predict(blackroad, { ...warm, scope: "provider" }).rpo).toBe(75);
    expect(predict(blackroad, { ...warm, scope: "provider", degraded: true }).rpo).toBe(180);
    expect(predict(blackroad, { ...warm, rates: { ...rates, push: seconds(1) } }).rpo).toBe(61);
  });

  it("takes the size that is validated apart, where it is given", () => {
    expect(predict(blackroad, { ...input, validated: bytes(400) }).rto).toBe(37);
    expect(predict(blackroad, { ...input, tier: "warm", walToReplay: bytes(0), validated: bytes(0) }).breakdown.validate).toBe(0);
  });

  it("is the assessment's own where nothing is overridden", () => {
    const cell = assess(blackroad).cells.find((one) => one.store === "redis" && one.scope === "logical");
    const prediction = predict(blackroad, { store: "redis", scope: "logical", tier: "warm", rates: blackroad.rates, size: gib(2) });
    expect([prediction.rpo, prediction.rto]).toEqual([cell?.rpo.predicted, cell?.rto.predicted]);
  });

  it("follows the scaled plan's intervals", () => {
    const scaled = scalePlan(blackroad, 60);
    const measured = { ...rates, push: seconds(2), runs: { "redis-snapshot": seconds(1) } };
    expect(predict(scaled, { ...input, tier: "warm", rates: measured }).rpo).toBe(3);
    expect(predict(scaled, { ...input, store: "redis", tier: "warm", rates: measured }).rpo).toBe(6);
    expect(predict(scaled, input).rto).toBe(35);
  });

  it("grows with what is to be moved", () => {
    const at = (size: number, walToReplay: number) => predict(blackroad, { ...input, tier: "warm", size: mib(size), walToReplay: mib(walToReplay) }).rto;
    expect(at(2, 0)).toBeGreaterThan(at(1, 0));
    expect(at(1, 1)).toBeGreaterThan(at(1, 0));
  });

  it("says when a store has no copy for the tier", () => {
    expect(() => predict(blackroad, { ...input, store: "vectors" })).toThrow("vectors has no copy that the hot tier could use after the failure region");
    expect(() => predict(blackroad, { ...input, scope: "logical" })).toThrow(/no copy/);
    expect(() => predict({ ...blackroad, stores: [] }, input)).toThrow("no store postgres");
  });

  it("waits for people where nobody says otherwise", () => {
    expect(predict(blackroad, { ...input, tier: "warm", times: {} }).breakdown).toMatchObject({ detect: minutes(2), decide: minutes(5), provision: minutes(7) });
  });
});

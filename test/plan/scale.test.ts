import { describe, expect, it } from "vitest";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { intervalOf } from "../../plan/schedule.ts";
import { scalePlan } from "../../plan/scale.ts";
import { days, minutes } from "../../plan/units.ts";

describe("a scaled plan", () => {
  const scaled = scalePlan(blackroad, 60);

  it("runs every schedule so many times as often", () => {
    scaled.schedules.forEach((schedule, index) => {
      const shipped = blackroad.schedules[index];
      expect(schedule.name).toBe(shipped?.name);
      expect(intervalOf(schedule) * 60).toBeCloseTo(shipped === undefined ? 0 : intervalOf(shipped), 6);
      expect(schedule.deadline).toBe(shipped?.deadline);
    });
  });

  it("promises and keeps so much less, RPO by RPO and retention by retention", () => {
    expect(scaled.system).toMatchObject({ rpo: 15, retention: days(90) / 60, rto: blackroad.system.rto, replicationLag: 1 });
    expect(scaled.categories).toEqual({ critical: { rpo: 0 }, important: { rpo: 15 }, operational: { rpo: 60 } });
    expect(scaled.recovery.window).toBeCloseTo(days(7) / 60, 6);
    expect(scaled.backends[0]?.immutableFor).toBeCloseTo(days(7) / 60, 6);
    expect(scaled.schedules.find((schedule) => schedule.name === "config-snapshot")?.retention).toBe("forever");
    expect(scaled.schedules.find((schedule) => schedule.name === "redis-snapshot")?.keepLonger?.[0]).toEqual({ every: 60, retention: days(7) / 60 });
    const thresholds = scaled.alerts.map((alert) => ("above" in alert ? alert.above : "below" in alert ? alert.below : undefined));
    expect(thresholds).toEqual([0, 120, 15, 7.5, 10 * 1024 ** 3, 180, 1, undefined, undefined, undefined, days(8) / 60, days(14) / 60, undefined, 10]);
  });

  it("keeps what a tool or physics fixes", () => {
    expect(scaled.postgres).toEqual({ ...blackroad.postgres, archiveTimeout: 1 });
    expect(scaled.redis).toEqual(blackroad.redis);
    expect(scaled.tiers).toEqual(blackroad.tiers);
    expect(scaled.dns).toEqual(blackroad.dns);
    expect(scaled.rates).toEqual(blackroad.rates);
    expect(scaled.stores).toEqual(blackroad.stores);
    expect(scaled.backends.map((backend) => backend.retrieval)).toEqual(blackroad.backends.map((backend) => backend.retrieval));
  });

  it("accepts so much less loss, and as much time", () => {
    for (const [index, acceptance] of scaled.accepted.entries()) {
      const shipped = blackroad.accepted[index];
      expect(acceptance.upTo).toBeCloseTo((shipped?.upTo ?? 0) / (acceptance.what === "rpo" ? 60 : 1), 6);
    }
  });

  it("never asks PostgreSQL for less than a second", () => expect(scalePlan(blackroad, 600).postgres.archiveTimeout).toBe(1));

  it("is the plan itself at a factor of 1, and says its factor otherwise", () => {
    expect(scalePlan(blackroad, 1)).toBe(blackroad);
    expect(scalePlan(scalePlan(blackroad, 2), 3).intervalScale).toBe(6);
  });

  it.each([0, 0.5, -1, Number.NaN, Infinity])("refuses the factor %d", (factor) => expect(() => scalePlan(blackroad, factor)).toThrow(/at least 1/));

  it("leaves the plan that it was given alone", () => expect(blackroad.system.rpo).toBe(minutes(15)));

  it("loses no more than the plan, cell by cell", () => {
    const shipped = assess(blackroad).cells;
    assess(scaled).cells.forEach((cell, index) => expect(cell.rpo.predicted).toBeLessThanOrEqual(shipped[index]?.rpo.predicted ?? 0));
  });
});

import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { costOf, type CostKind } from "../../plan/cost.ts";
import { scheduleOf, storeOf } from "../../plan/find.ts";
import { prices } from "../../plan/prices.ts";
import type { Plan } from "../../plan/types.ts";
import { bytesPerRun, storedBy, storedLog } from "../../plan/volume.ts";
import { days, gib, minutes, scaleDuration, seconds } from "../../plan/units.ts";
import { changed, scheduleIn, storeIn } from "./drafts.ts";

const lineOf = (plan: Plan, kind: CostKind, where: string): number => costOf(plan).lines.find((line) => line.kind === kind && line.where === where)?.usdPerMonth ?? 0;
const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("not in the plan");
  return value;
};
const store = (name: Parameters<typeof storeOf>[1]) => found(storeOf(blackroad, name));
const schedule = (name: Parameters<typeof scheduleOf>[1]) => found(scheduleOf(blackroad, name));

describe("the monthly cost", () => {
  const cost = costOf(blackroad);

  it("is the sum of its lines, each above nothing and with its basis", () => {
    expect(cost.lines.reduce((sum, line) => sum + line.usdPerMonth, 0)).toBeCloseTo(cost.usdPerMonth, 6);
    for (const line of cost.lines) expect([line.usdPerMonth > 0, line.basis.length > 0]).toEqual([true, true]);
    expect(cost.dated).toMatch(/^\d{4}-\d{2}$/);
  });

  it("has storage for every backend and for the replicated bucket, and every kind of cost", () => {
    expect(cost.lines.filter((line) => line.kind === "storage").map((line) => line.where)).toEqual(["r2", "s3", "archive", "s3-replicated"]);
    expect(new Set(cost.lines.map((line) => line.kind))).toEqual(new Set(["storage", "requests", "transfer", "replication", "keys"]));
  });

  it("asks for each key in each region", () => expect(lineOf(blackroad, "keys", "KMS")).toBe(2 * 3 * prices.kmsKey.usd));

  it("asks more for everything that is more", () => {
    const more: readonly Plan[] = [
      changed((draft) => (storeIn(draft, "vectors").expectedSize = gib(60))),
      changed((draft) => (draft.postgres.walPerDay = gib(400) as never)),
      changed((draft) => (scheduleIn(draft, "postgres-full").retention = days(365))),
      changed((draft) => (scheduleIn(draft, "redis-snapshot").cron = "* * * * *")),
      changed((draft) => (draft.agents = 300_000)),
      changed((draft) => draft.keys.push("another")),
      changed((draft) => (storeIn(draft, "postgres").compression = 1)),
    ];
    for (const plan of more) expect(costOf(plan).usdPerMonth).toBeGreaterThan(cost.usdPerMonth);
  });

  it("sends nothing out of AWS for what R2 holds first", () => {
    const without = changed((draft) => (storeIn(draft, "objects").copies = storeIn(draft, "objects").copies.filter((copy) => copy.name !== "s3-objects-sync")));
    expect(lineOf(without, "transfer", "s3")).toBe(lineOf(blackroad, "transfer", "s3"));
    expect(lineOf(without, "storage", "s3")).toBeLessThan(lineOf(blackroad, "storage", "s3"));
  });

  it("replicates the short-lived only where it has no place of its own", () => {
    const apart = lineOf(blackroad, "replication", "s3-replicated");
    const together = changed((draft) => draft.backends.forEach((backend) => Reflect.deleteProperty(backend, "shortLived")));
    expect(lineOf(together, "replication", "s3-replicated")).toBeGreaterThan(2 * apart);
    expect(lineOf(together, "storage", "s3")).toBeGreaterThan(lineOf(blackroad, "storage", "s3"));
  });

  it("has no line for a bucket that is not there", () => {
    const plan = changed((draft) => draft.stores.forEach((one) => (one.copies = one.copies.filter((copy) => copy.kind !== "replicated-bucket"))));
    expect(costOf(plan).lines.some((line) => line.where === "s3-replicated")).toBe(false);
  });
});

describe("what a schedule holds", () => {
  it("of full backups: as many as fit into the retention, as compressed", () => {
    expect(storedBy(blackroad, store("postgres"), schedule("postgres-full"), seconds(0), false).bytes).toBeCloseTo(90 * 0.4 * gib(100), -3);
  });

  it("of a ladder: each step from where the one before it ends", () => {
    const { bytes, shortLived } = storedBy(blackroad, store("redis"), schedule("redis-snapshot"), seconds(0), true);
    const perRun = 0.7 * gib(2);
    expect(bytes / perRun).toBeCloseTo(288 + 6 * 24 + 83, 6);
    expect(shortLived / perRun).toBeCloseTo(288, 6);
  });

  it("of what a lock keeps past its retention", () => {
    const free = storedBy(blackroad, store("postgres"), schedule("postgres-incremental"), seconds(0), false);
    const locked = storedBy(blackroad, store("postgres"), schedule("postgres-incremental"), days(7), false);
    expect(free.overhead).toBe(0);
    expect(locked.bytes).toBeCloseTo(7 * free.bytes, -3);
    expect(locked.overhead).toBeCloseTo(6 * free.bytes, -3);
  });

  it("of a mirror: the data, and the versions that were replaced", () => {
    expect(storedBy(blackroad, store("objects"), schedule("objects-sync"), seconds(0), false).bytes).toBeCloseTo(gib(512) + 90 * gib(10), -4);
  });

  it("of a log: back to the full backup before its oldest moment", () => {
    expect(storedLog(blackroad, store("postgres"), seconds(0)).bytes).toBeCloseTo(8 * 0.4 * gib(40), -4);
    expect(storedLog(blackroad, store("postgres"), days(10)).overhead).toBeCloseTo(2 * 0.4 * gib(40), -4);
  });
});

describe("what a run writes", () => {
  it("is everything, or the changes since its last run, or since its base", () => {
    expect(bytesPerRun(blackroad, store("redis"), schedule("redis-snapshot"))).toEqual({ mean: gib(2), most: gib(2) });
    expect(bytesPerRun(blackroad, store("postgres"), schedule("postgres-incremental")).mean).toBeCloseTo(gib(8) / 96, -3);
    expect(bytesPerRun(blackroad, store("postgres"), schedule("postgres-diff"))).toEqual({ mean: gib(4), most: gib(8) });
    expect(bytesPerRun(blackroad, store("postgres"), schedule("verify")).most).toBe(0);
  });

  it("is never more than the store", () => {
    const slow = { ...schedule("postgres-incremental"), interval: scaleDuration(minutes(1), 1e6) };
    expect(bytesPerRun(blackroad, store("postgres"), slow).most).toBe(gib(100));
  });
});

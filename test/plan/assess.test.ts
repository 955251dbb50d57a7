import { describe, expect, it } from "vitest";
import { assess, judge, type Cell } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { failureScopes, type FailureScope, type Plan, type ScheduleName, type StoreName } from "../../plan/types.ts";
import { bytesPerSecond, gib, hours, minutes, scaleDuration, seconds } from "../../plan/units.ts";
import { backendIn, changed, copyIn, scheduleIn, storeIn } from "./drafts.ts";

function cellOf(plan: Plan, store: StoreName, scope: FailureScope, given: Parameters<typeof assess>[1] = {}): Cell {
  const cell = assess(plan, given).cells.find((one) => one.store === store && one.scope === scope);
  if (cell === undefined) throw new Error(`no cell ${store} ${scope}`);
  return cell;
}
const names = (cell: Cell): readonly string[] => [...new Set(cell.options.map((option) => option.copy))];

describe("the assessment of the shipped plan", () => {
  const assessment = assess(blackroad);

  it("has a cell for every store and every failure", () => {
    const cells = assessment.cells.map((cell) => `${cell.store} ${cell.scope}`);
    expect(cells).toEqual(blackroad.stores.flatMap((store) => failureScopes.map((scope) => `${store.name} ${scope}`)));
  });

  it("keeps every promise, or has accepted by name that it cannot", () => {
    expect(assessment.kept).toBe(true);
    expect(assessment.tiers.map((tier) => [tier.tier, tier.verdict])).toEqual([["hot", "met"], ["warm", "met"], ["cold", "met"]]);
  });

  it("loses no committed row of PostgreSQL with a server, the lag with the region, the archive's age with an error", () => {
    expect(cellOf(blackroad, "postgres", "process").rpo).toMatchObject({ predicted: 0, verdict: "met" });
    expect(cellOf(blackroad, "postgres", "region").rpo).toMatchObject({ predicted: 1, verdict: "accepted" });
    expect(cellOf(blackroad, "postgres", "logical").rpo).toMatchObject({ predicted: 75, verdict: "accepted" });
  });

  it("reckons with the slower push where a provider, and with it a repository, is gone", () => {
    expect(cellOf(blackroad, "postgres", "provider").rpo.predicted).toBe(180);
  });

  it("is honest that without AWS there is no prepared place: the cold tier, from R2", () => {
    const cell = cellOf(blackroad, "postgres", "provider");
    expect(cell.best).toMatchObject({ copy: "r2-wal", tier: "cold", lost: "all of aws" });
    expect(cell.rto).toMatchObject({ verdict: "accepted" });
    expect(cell.rto.predicted).toBeGreaterThan(hours(1));
    expect(cell.rto.predicted).toBeLessThan(hours(4));
  });

  it("counts against an attacker only what is locked, and no log without a locked base", () => {
    expect(names(cellOf(blackroad, "postgres", "attacker")).filter((name) => name.startsWith("r2"))).toEqual([]);
    expect(cellOf(blackroad, "postgres", "attacker").best).toMatchObject({ copy: "s3-wal" });
    expect(names(cellOf(blackroad, "redis", "attacker"))).toContain("r2-redis-snapshot");
  });

  it("counts no live copy against an error", () => {
    for (const store of blackroad.stores) {
      const live = store.copies.filter((copy) => copy.kind === "original" || copy.kind === "replica" || copy.kind === "hosted").map((copy) => copy.name);
      for (const scope of ["logical", "attacker"] as const) expect(names(cellOf(blackroad, store.name, scope)).filter((name) => live.includes(name)), store.name).toEqual([]);
    }
  });

  it("finds nothing in the primary region after its loss", () => {
    const lost = blackroad.stores.flatMap((store) => store.copies.filter((copy) => "region" in copy && copy.region === "us-east-1").map((copy) => copy.name));
    for (const store of blackroad.stores) expect(names(cellOf(blackroad, store.name, "region")).filter((name) => lost.includes(name)), store.name).toEqual([]);
  });

  it("never rests on a WAL copy that exists only behind cross-region replication (F5)", () => {
    const option = cellOf(blackroad, "postgres", "region").options.find((one) => one.copy === "s3-replicated");
    expect(option?.loss).toBe(60 + 15 + minutes(15));
  });

  it("replicates of short-lived data only what is kept for longer", () => {
    const option = cellOf(blackroad, "redis", "region").options.find((one) => one.copy === "s3-replicated");
    expect(option?.loss).toBe(hours(1) + minutes(4) + minutes(15));
  });

  it("never uses the archive, which answers after hours", () => {
    for (const cell of assessment.cells) expect(cell.best?.copy).not.toBe("archive-archive");
    const archive = cellOf(blackroad, "postgres", "region").options.find((one) => one.copy === "archive-archive");
    expect(archive?.tier).toBe("cold");
    expect(archive?.recovery.fetch).toBeGreaterThan(hours(12));
  });

  it("adds its parts up to its totals", () => {
    for (const { recovery } of assessment.cells.flatMap((cell) => cell.options)) {
      const { total, ...parts } = recovery;
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 6);
    }
  });
});

describe("a promise that cannot be kept", () => {
  it("is not met where nobody has accepted it", () => {
    const plan = changed((draft) => (draft.accepted = draft.accepted.filter((one) => !(one.store === "redis" && one.scope === "region"))));
    expect(cellOf(plan, "redis", "region").rpo.verdict).toBe("not met");
    expect(assess(plan).kept).toBe(false);
  });

  it("is not met where it is worse than what was accepted", () => {
    const plan = changed((draft) => (draft.postgres.pushBound = minutes(20)));
    expect(cellOf(plan, "postgres", "logical").rpo).toMatchObject({ predicted: minutes(21), verdict: "not met" });
  });

  it("is not met where there is no way back, whatever was accepted", () => {
    const plan = changed((draft) => {
      for (const name of ["r2", "s3", "archive"] as const) {
        backendIn(draft, name).immutableFor = seconds(0);
        Reflect.deleteProperty(backendIn(draft, name), "shortLived");
      }
    });
    const cell = cellOf(plan, "postgres", "attacker");
    expect([cell.best, cell.rpo.predicted, cell.rpo.verdict, cell.rto.verdict]).toEqual([undefined, undefined, "not met", "not met"]);
  });

  it("is not met where a tier takes longer than it promises", () => {
    const slow = assess(blackroad, { rates: { ...blackroad.rates, restore: bytesPerSecond(50e6) } });
    expect(slow.tiers.find((tier) => tier.tier === "warm")?.verdict).toBe("not met");
    expect(slow.kept).toBe(false);
  });

  it("is not met by a tier that covers nothing", () => {
    const plan = changed((draft) => {
      for (const store of draft.stores) store.copies = store.copies.filter((copy) => copy.kind !== "replica");
    });
    expect(assess(plan).tiers.find((tier) => tier.tier === "hot")).toMatchObject({ slowest: undefined, verdict: "not met" });
  });
});

describe("what is worse never comes out better", () => {
  const lossesOf = (plan: Plan): readonly number[] => assess(plan).cells.map((cell) => cell.rpo.predicted ?? Infinity);
  const timesOf = (given: Parameters<typeof assess>[1]): readonly number[] => assess(blackroad, given).cells.map((cell) => cell.rto.predicted ?? Infinity);
  const isNowhereBelow = (worse: readonly number[], before: readonly number[]) => worse.forEach((value, index) => expect(value).toBeGreaterThanOrEqual((before[index] ?? 0) - 1e-6));

  const frequent: readonly ScheduleName[] = ["redis-snapshot", "vault-snapshot", "vectors-snapshot", "objects-sync", "logs-ship", "metrics-snapshot", "config-snapshot", "postgres-incremental"];
  it.each(frequent)("a longer interval of %s loses no less", (name) => {
    let before = lossesOf(blackroad);
    for (const factor of [2, 3, 12]) {
      const worse = lossesOf(changed((draft) => (scheduleIn(draft, name).interval = scaleDuration(minutes(20), factor))));
      isNowhereBelow(worse, before);
      before = worse;
    }
  });

  it("a longer archive_timeout, push or lag loses no less", () => {
    const before = lossesOf(blackroad);
    isNowhereBelow(lossesOf(changed((draft) => (draft.postgres.archiveTimeout = minutes(5)))), before);
    isNowhereBelow(lossesOf(changed((draft) => (draft.postgres.pushBoundDegraded = minutes(5)))), before);
    isNowhereBelow(lossesOf(changed((draft) => Object.assign(copyIn(draft, "postgres", "asynchronous-replica"), { lagBound: 30 }))), before);
  });

  it.each(["restore", "walFetch", "walReplay", "redisLoad", "download", "upload", "validate"] as const)("a lower rate of %s is no quicker", (rate) => {
    isNowhereBelow(timesOf({ rates: { ...blackroad.rates, [rate]: bytesPerSecond(blackroad.rates[rate] / 3) } }), timesOf({}));
  });

  it.each(blackroad.stores.map((store) => store.name))("more data in %s is no quicker", (name) => {
    isNowhereBelow(timesOf({ sizes: { [name]: gib(3_000) } }), timesOf({}));
  });

  it("more WAL is no quicker", () => isNowhereBelow(timesOf({ extraWal: gib(50) }), timesOf({})));

  it("a copy less is never better", () => {
    const before = assess(blackroad);
    for (const store of blackroad.stores) {
      // But for a log archive: the one that is left has no dead neighbour any more that slows its push.
      for (const copy of store.copies.filter((one) => one.kind === "replica" || one.kind === "backup" || one.kind === "replicated-bucket")) {
        const after = assess(changed((draft) => (storeIn(draft, store.name).copies = storeIn(draft, store.name).copies.filter((one) => one.name !== copy.name))));
        isNowhereBelow(after.cells.map((cell) => cell.rpo.predicted ?? Infinity), before.cells.map((cell) => cell.rpo.predicted ?? Infinity));
      }
    }
  });
});

describe("what was measured", () => {
  it("takes the place of deadline and push bound", () => {
    const rates = { ...blackroad.rates, source: "measured", push: seconds(2), runs: { "redis-snapshot": seconds(7) } };
    expect(cellOf(blackroad, "redis", "logical", { rates }).rpo.predicted).toBe(307);
    expect(cellOf(blackroad, "postgres", "logical", { rates }).rpo.predicted).toBe(62);
    expect(assess(blackroad, { rates }).source).toBe("measured");
  });
});

describe("a verdict", () => {
  const acceptance = { store: "redis", scope: "region", what: "rpo", upTo: seconds(60), reason: "so" } as const;
  it.each([
    [10, undefined, "met"],
    [11, undefined, "not met"],
    [60, acceptance, "accepted"],
    [61, acceptance, "not met"],
    [10, acceptance, "met"],
  ] as const)("of %d s against 10 s", (predicted, accepted, verdict) => {
    expect(judge(seconds(10), seconds(predicted), accepted).verdict).toBe(verdict);
  });
  it("of nothing is not met", () => expect(judge(seconds(10), undefined, acceptance).verdict).toBe("not met"));
});

import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { mib } from "../../plan/units.ts";
import { copyVerificationOf, verificationOf, type MeasuredWork } from "../../runner/verification.ts";
import { ratesFromRecords } from "../../runner/verification-rates.ts";
import { verificationIn, verificationRecord } from "../../runner/verification-record.ts";
import { copyFailed, copyOk, record } from "./records.ts";

const fallback = blackroad.rates;
const check = [{ name: "restored", ok: true }];

function verified(at: string, ...work: MeasuredWork[]) {
  const backup = record("postgres", "full", at);
  const copies = work.map((measured, index) => copyVerificationOf(index === 0 ? "r2" : "s3", check, [], 5, measured));
  const startedAt = new Date(at);
  return verificationRecord(`${at.replaceAll(/[-:]/g, "")}-postgres-verification-0000`, backup, verificationOf(backup.id, "postgres", copies), { startedAt, finishedAt: startedAt, expiresAt: null });
}

describe("rates from the catalog", () => {
  it("are those of the fallback where nothing was measured", () => {
    expect(ratesFromRecords([record("redis", "snapshot", "2026-11-22T20:00:00Z")], fallback)).toBe(fallback);
  });

  it("are the slowest copy's, as any of them may be needed", () => {
    const rates = ratesFromRecords([verified("2026-11-22T20:00:00Z", { restoreBytes: mib(100), restoreSeconds: 1 }, { restoreBytes: mib(100), restoreSeconds: 4 })], fallback);
    expect(rates.restore).toBe(mib(25));
    expect(rates.walFetch).toBe(fallback.walFetch);
  });

  it("count the fetch of WAL only once where the replay that was measured had it inside", () => {
    const rates = ratesFromRecords([verified("2026-11-22T20:00:00Z", { replayBytes: mib(160), replaySeconds: 4 })], fallback);
    expect(rates.walReplay).toBe(mib(40));
    expect(mib(1_000_000) / rates.walFetch).toBeLessThan(0.001);
  });

  it("come from the newest verification that measured them, each on its own", () => {
    const rates = ratesFromRecords(
      [verified("2026-11-22T20:00:00Z", { restoreBytes: mib(10), restoreSeconds: 1, walBytes: mib(16), walSeconds: 1 }), verified("2026-11-22T21:00:00Z", { restoreBytes: mib(20), restoreSeconds: 1 })],
      fallback,
    );
    expect(rates.restore).toBe(mib(20));
    expect(rates.walFetch).toBe(mib(16));
    expect(rates.source).toContain("20261122T200000Z-postgres-verification-0000");
    expect(rates.source).toContain("20261122T210000Z-postgres-verification-0000");
    expect(rates.source).toContain("redisLoad");
    expect(rates.source).toContain(fallback.source);
  });

  it("are not taken from amounts that are too small to say anything", () => {
    expect(ratesFromRecords([verified("2026-11-22T20:00:00Z", { restoreBytes: 4_096, restoreSeconds: 1 })], fallback)).toBe(fallback);
  });

  it("take the longest start and promotion of any copy", () => {
    const rates = ratesFromRecords([verified("2026-11-22T20:00:00Z", { startUpSeconds: 0.5, promoteSeconds: 2 }, { startUpSeconds: 0.7, promoteSeconds: 1 })], fallback);
    expect([rates.startUp, rates.promote]).toEqual([0.7, 2]);
  });

  it("take each schedule's longest good run from the backups, when asked", () => {
    const records = [record("redis", "snapshot", "2026-11-22T20:00:00Z", { took: 3 }), record("redis", "snapshot", "2026-11-22T20:05:00Z", { took: 7 }), record("redis", "snapshot", "2026-11-22T20:10:00Z", { took: 90, copies: [copyOk("r2"), copyFailed("s3")] })];
    expect(ratesFromRecords(records, fallback, ["redis-snapshot"]).runs).toEqual({ "redis-snapshot": 7 });
    expect(ratesFromRecords(records, fallback)).toBe(fallback);
  });

  it("pass over the copies that failed their verification", () => {
    const backup = record("redis", "snapshot", "2026-11-22T20:00:00Z");
    const broken = verificationOf(backup.id, "redis", [copyVerificationOf("r2", check, ["a byte is wrong"], 1, { redisLoadBytes: mib(1_000), redisLoadSeconds: 0.001 })]);
    const at = new Date("2026-11-22T20:01:00Z");
    expect(ratesFromRecords([verificationRecord("x", backup, broken, { startedAt: at, finishedAt: at, expiresAt: null })], fallback)).toBe(fallback);
  });
});

describe("the record of a verification", () => {
  it("reads back as it was, and names no copy that could be restored", () => {
    const written = verified("2026-11-22T20:00:00Z", { restoreBytes: mib(100), restoreSeconds: 1 });
    expect(verificationIn(written)).toMatchObject({ backup: "20261122T200000000Z-postgres-full-0000", ok: true, copies: [{ backend: "r2", measured: { restoreSeconds: 1 } }] });
    expect([written.copies, written.objects]).toEqual([[], []]);
  });

  it("is not read from a backup, nor from a form that is not known", () => {
    expect(verificationIn(record("redis", "snapshot", "2026-11-22T20:00:00Z"))).toBeUndefined();
    expect(verificationIn(record("redis", "verification", "2026-11-22T20:00:00Z"))).toBeUndefined();
  });

  it("does not call a backup good of which nothing was checked", () => {
    expect(verificationOf("x", "redis", []).ok).toBe(false);
    expect(copyVerificationOf("r2", [], [], 1).ok).toBe(false);
  });
});

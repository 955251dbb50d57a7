import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { allMetrics, failureKinds } from "../../../plan/metrics.ts";
import { days, hours, minutes } from "../../../plan/units.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { catalogFacts } from "../../../runner/metrics/facts.ts";
import { RecordMemory } from "../../../runner/metrics/memory.ts";
import { renderPage } from "../../../runner/metrics/render.ts";
import { pageOf, type Facts, type Page } from "../../../runner/metrics/samples.ts";
import { tallyOf } from "../../../runner/metrics/tally.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const now = Date.parse("2026-11-22T10:00:00.000Z");
const ago = (seconds: number): string => new Date(now - seconds * 1_000).toISOString();
const up = { up: true, availableBytes: 50e9 };
const factsOf = (records: readonly BackupRecord[], more: Partial<Facts> = {}): Facts => ({
  catalog: catalogFacts(blackroad, [...records].sort((a, b) => (a.id < b.id ? -1 : 1)), []),
  targets: [{ name: "r2", ...up }, { name: "s3", ...up, availableBytes: 20e9 }],
  tokens: [], readAt: now, ...more,
});
const page = (records: readonly BackupRecord[], more: Partial<Facts> = {}, at = now): Page => pageOf(blackroad, factsOf(records, more), at);
const value = ({ samples }: Page, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
  samples.find((sample) => sample.metric.name === `blackroad_${name}` && Object.entries(labels).every(([label, wanted]) => Object.entries(sample.labels).some(([key, has]) => key === label && has === wanted)))?.value;

const full = (age: number, more: Partial<BackupRecord> = {}) => record("postgres", "full", ago(age), more);
const snapshot = (age: number, more: Partial<BackupRecord> = {}) => record("redis", "snapshot", ago(age), more);

describe("the exporter's page", () => {
  it("has every type × target × error as zero before it first happens", () => {
    const empty = page([]);
    for (const type of ["redis-snapshot", "vault-snapshot", "postgres-full"]) for (const target of ["r2", "s3"]) for (const error of failureKinds) expect(value(empty, "backup_failure_total", { type, target, error })).toBe(0);
    expect(value(empty, "backup_success_total", { type: "archive", target: "archive" })).toBe(0);
  });

  it("counts what stands, shows sizes, and when everything was last complete", () => {
    const shown = page([snapshot(600), snapshot(300, { copies: [copyOk("r2", 7_000), copyFailed("s3")] })]);
    expect(value(shown, "backup_success_total", { type: "redis-snapshot", target: "r2" })).toBe(2);
    expect(value(shown, "backup_failure_total", { type: "redis-snapshot", target: "s3", error: "failed" })).toBe(1);
    expect(value(shown, "backup_size_bytes", { type: "redis-snapshot", target: "r2" })).toBe(7_000);
    expect(value(shown, "last_backup_timestamp", { type: "redis-snapshot" })).toBe(now / 1_000 - 600);
    expect(value(shown, "last_backup_timestamp", { type: "vault-snapshot" })).toBeUndefined();
    expect(value(shown, "last_backup_timestamp", { type: "verify" })).toBe(0);
  });

  it("takes a wider backup of PostgreSQL for a narrower one", () => {
    expect(value(page([full(60)]), "last_backup_timestamp", { type: "postgres-incremental" })).toBe(now / 1_000 - 60);
  });

  it("reckons the recovery point by the store that is the furthest behind, and PostgreSQL by its log in any bucket", () => {
    const records = [full(hours(5)), snapshot(200), record("logs", "ship", ago(hours(2)))];
    const targets = [{ name: "r2", ...up, newestWal: now - 70_000 }, { name: "s3", ...up, newestWal: now - 130_000 }];
    const shown = page(records, { targets });
    expect(value(shown, "recovery_point_age_seconds")).toBe(200);
    expect(value(shown, "store_recovery_point_age_seconds", { store: "postgres" })).toBe(70);
    expect(value(shown, "store_recovery_point_age_seconds", { store: "logs" })).toBe(hours(2));
    expect(value(shown, "wal_age_seconds", { target: "s3" })).toBe(130);
    expect(value(shown, "recoverable_window_seconds", { store: "postgres" })).toBe(hours(5) - 70);
    // Nobody looked for ten minutes: the ages have grown by themselves.
    expect(value(page(records, { targets }, now + 600_000), "recovery_point_age_seconds")).toBe(800);
  });

  it("shows a store without any good backup as infinitely far behind", async () => {
    const shown = page([snapshot(60, { copies: [copyFailed("r2"), copyFailed("s3")] })]);
    expect(value(shown, "recovery_point_age_seconds")).toBe(Infinity);
    expect(await renderPage(shown)).toContain("blackroad_recovery_point_age_seconds +Inf");
  });

  it("says of a target that is down nothing but that it is down", () => {
    const shown = page([snapshot(60)], { targets: [{ name: "r2", ...up, newestWal: now }, { name: "s3", up: false, availableBytes: 1, newestWal: now }], readAt: now - 900_000 });
    expect([value(shown, "target_up", { target: "r2" }), value(shown, "target_up", { target: "s3" })]).toEqual([1, 0]);
    expect(value(shown, "wal_age_seconds", { target: "s3" })).toBeUndefined();
    expect(value(shown, "target_storage_available_bytes", { target: "s3" })).toBeUndefined();
    expect(value(shown, "backup_storage_available_bytes")).toBe(50e9);
    expect(value(shown, "exporter_read_timestamp_seconds")).toBe(now / 1_000 - 900);
  });

  it("has no counter before the first look: zeros that jump would look like news", async () => {
    const shown = pageOf(blackroad, { targets: [{ name: "r2", up: false }], tokens: [], readAt: 0 }, now);
    expect((await renderPage(shown)).match(/^blackroad_\w+/gm)).toEqual(["blackroad_target_up", "blackroad_exporter_read_timestamp_seconds"]);
  });

  it("promises, predicts and measures, each drill's figure until another one has it", () => {
    const drill = (age: number, scenario: string, passed: boolean, rpo: number | null) => record("system", "drill", ago(age), { copies: [], details: { name: "d", scenario, tier: "warm", passed, intervals: 20, agents: 10, rtoSeconds: 50, error: null, objectives: [{ store: "redis", scope: "region", rpo: { objective: 60, predicted: 30, measured: rpo }, rto: { objective: 60, predicted: 50, measured: 40 + age } }] } });
    const shown = page([drill(200, "region-loss", true, 12), drill(100, "provider-loss", false, null)]);
    expect(value(shown, "rpo_measured_seconds", { store: "redis", scope: "region" })).toBe(12);
    expect(value(shown, "rto_measured_seconds", { store: "redis", scope: "region" })).toBe(140);
    expect(value(shown, "drill_passed_timestamp_seconds", { scenario: "region-loss" })).toBe((now - 195_000) / 1_000);
    expect(value(shown, "drill_passed_timestamp_seconds", { scenario: "provider-loss" })).toBe(0);
    expect(value(shown, "rpo_promised_seconds", { store: "redis", scope: "region" })).toBe(minutes(15));
    expect(value(shown, "rto_predicted_seconds", { store: "redis", scope: "region" })).toBeGreaterThan(0);
    expect(value(page([]), "drill_passed_timestamp_seconds", { scenario: "none" })).toBe(0);
  });

  it("knows when a store was last found good, and that the newest look found it bad", () => {
    const verified = (age: number, ok: boolean) => record("redis", "verification", ago(age), { copies: [], details: { backup: "b", store: "redis", ok, copies: [] } });
    const shown = page([snapshot(days(9)), verified(days(8), true), verified(days(1), false)]);
    expect(value(shown, "verification_ok", { store: "redis" })).toBe(0);
    expect(value(shown, "last_verified_timestamp_seconds", { store: "redis" })).toBe((now - (days(8) - 5) * 1_000) / 1_000);
  });

  it("shows every metric of the plan where everything is known", () => {
    const shown = page([full(60), snapshot(60), record("redis", "verification", ago(5), { copies: [], details: { backup: "b", store: "redis", ok: true, copies: [] } }), record("system", "drill", ago(9), { copies: [], details: { name: "d", scenario: "s", tier: "hot", passed: true, intervals: 1, agents: 1, rtoSeconds: 1, error: null, objectives: [{ store: "redis", scope: "region", rpo: { objective: 1, predicted: 1, measured: 1 }, rto: { objective: 1, predicted: 1, measured: 1 } }] } })], {
      targets: [{ name: "r2", ...up, newestWal: now }],
      replication: { lags: [{ replica: "a2", seconds: 0.1 }], synchronousStandbys: 1 },
      tokens: [{ token: "r2-reader", expiresAt: now + 1_000 }],
    });
    const names = new Set([...shown.samples, ...shown.histograms].map(({ metric }) => metric.name));
    expect(allMetrics.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  });
});

describe("counters that outlive records", () => {
  const old = snapshot(days(2), { copies: [copyOk("r2"), copyFailed("s3")] });
  const young = snapshot(60);
  const expiry = record("system", "expiry", ago(30), { copies: [], details: { counted: tallyOf(blackroad, [old]), removed: [old.id], freed: {} } });
  const failed = (shown: Page) => value(shown, "backup_failure_total", { type: "redis-snapshot", target: "s3", error: "failed" });

  it("stay where they were when a record has expired, and while it is on its way out", () => {
    expect(failed(page([old, young]))).toBe(1);
    expect(failed(page([old, young, expiry]))).toBe(1);
    expect(failed(page([young, expiry]))).toBe(1);
    expect(value(page([young, expiry]), "backup_success_total", { type: "redis-snapshot", target: "r2" })).toBe(2);
  });

  it("stay while a backend is down, or a record cannot be read for a moment", () => {
    const memory = new RecordMemory();
    memory.learn({ records: [old, young], problems: [] });
    expect(memory.learn({ records: [young], problems: [{ backend: "s3", what: "refused" }] })).toHaveLength(2);
    expect(memory.learn({ records: [young], problems: [{ backend: "s3", key: `catalog/redis/${old.id}.json`, what: "cut off" }] })).toHaveLength(2);
    expect(memory.learn({ records: [young], problems: [] })).toEqual([young]);
  });
});

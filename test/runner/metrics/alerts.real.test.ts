import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { prometheusRulesYaml, watchdog } from "../../../plan/config/prometheus-rules.ts";
import { exporterJob } from "../../../plan/metrics.ts";
import { intervalOf } from "../../../plan/schedule.ts";
import { days, minutes } from "../../../plan/units.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { catalogFacts } from "../../../runner/metrics/facts.ts";
import { pageOf, type Facts } from "../../../runner/metrics/samples.ts";
import { tallyOf } from "../../../runner/metrics/tally.ts";
import { storeAndKind } from "../../../runner/status/expected.ts";
import { firingAt, promtool, testRules, type Series } from "../../harness/promtool.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const rules = prometheusRulesYaml({ plan: blackroad, runbookUrl: "https://runbook.example/dr.md" });
/** Minutes; promtool's time begins at the epoch, so what is older lies before it. */
const length = 45;

/** A system at a minute, as the exporter would find it. */
interface World {
  readonly records: readonly BackupRecord[];
  readonly facts: Omit<Facts, "catalog">;
}
type Fault = (world: World, minute: number) => World;

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString();

/** Every job has run whenever it was due, took half of its deadline, and left its record then. */
const history: readonly BackupRecord[] = blackroad.schedules.flatMap((schedule) => {
  const made = schedule.name === "archive" ? { store: "archive", kind: "weekly" } : storeAndKind(schedule.name);
  if (made === undefined) return [];
  const interval = intervalOf(schedule);
  const first = Math.floor((0 - schedule.deadline - interval) / interval) * interval;
  const begins = Array.from({ length: Math.floor((length * 60 - first) / interval) + 1 }, (_, index) => first + index * interval);
  return begins.map((begin) => record(made.store, made.kind, iso(begin), { took: schedule.deadline / 2 }));
}).concat(record("redis", "verification", iso(-86_400 * 3), { copies: [], details: { backup: "b", store: "redis", ok: true, copies: [] } }), record("system", "drill", iso(-86_400 * 2), { copies: [], details: { name: "d", scenario: "region-loss", tier: "warm", passed: true, intervals: 20, agents: 1, rtoSeconds: 1, error: null, objectives: [] } }));

function healthyAt(minute: number): World {
  const now = minute * 60;
  const target = { up: true, availableBytes: 1e12, newestWal: (now - 45) * 1_000 };
  return {
    records: history.filter(({ finishedAt }) => Date.parse(finishedAt) <= now * 1_000).sort((a, b) => (Date.parse(a.startedAt) - Date.parse(b.startedAt))),
    facts: {
      targets: [{ name: "r2", ...target }, { name: "s3", ...target }],
      replication: { lags: [{ replica: "pg-2", seconds: 0.3 }], synchronousStandbys: 1 },
      tokens: [{ token: "r2-reader", expiresAt: days(90) * 1_000 }],
      readAt: (now - 30) * 1_000,
    },
  };
}

/** What Prometheus gets of it, minute by minute: each page from the records alone, as after a restart. */
function scrapes(fault: Fault): Series {
  const series = new Map<string, number[]>([[`up{job="${exporterJob}"}`, Array.from({ length: length + 1 }, () => 1)]]);
  for (let minute = 0; minute <= length; minute += 1) {
    const { records, facts } = fault(healthyAt(minute), minute);
    const { samples } = pageOf(blackroad, { ...facts, catalog: catalogFacts(blackroad, records, []) }, minute * 60_000);
    for (const { metric, labels, value } of samples) {
      const name = `${metric.name}{${Object.entries(labels).map(([label, text]) => `${label}="${text}"`).join(",")}}`;
      const values = series.get(name) ?? [];
      while (values.length < minute) values.push(NaN);
      values.push(value);
      series.set(name, values);
    }
  }
  for (const values of series.values()) while (values.length <= length) values.push(NaN);
  return Object.fromEntries(series);
}

const judge = (fault: Fault, expected: readonly (readonly [minute: number, firing: Readonly<Record<string, number>>])[]) =>
  testRules(rules, scrapes(fault), { queries: expected.map(([minute, firing]) => firingAt({ minute, firing }, watchdog)) });
const nothingEver = { queries: [{ expr: `count_over_time(ALERTS{alertstate="firing",alertname!="${watchdog}"}[${length}m])`, eval_time: `${length}m`, exp_samples: [] }] };

const withRecord = (one: BackupRecord, minute: number): Fault => (world, now) => (now < minute ? world : { ...world, records: [...world.records, one] });
const target = (name: string, from: number, change: Partial<Facts["targets"][number]>, more: Partial<Facts> = {}): Fault => (world, minute) =>
  minute < from ? world : { ...world, facts: { ...world.facts, targets: world.facts.targets.map((one) => (one.name === name ? { ...one, ...change } : one)), ...more } };

describe.skipIf(promtool === undefined)("what the exporter shows, judged by the alert rules in Prometheus (needs promtool)", () => {
  it("is silent in a healthy system", async () => {
    expect(await testRules(rules, scrapes((world) => world), nothingEver)).toBe("");
  });

  it("is silent when records expire, failed ones among them, and while they are on their way out", async () => {
    const old = record("redis", "snapshot", iso(-86_400 * 3), { copies: [copyOk("r2"), copyFailed("s3", "refused", "unavailable")] });
    const expiry = record("system", "expiry", iso(20 * 60), { copies: [], details: { counted: tallyOf(blackroad, [old]), removed: [old.id], freed: {} } });
    const expiring: Fault = (world, minute) => ({ ...world, records: [...(minute < 25 ? [old] : []), ...world.records, ...(minute < 20 ? [] : [expiry])] });
    expect(await testRules(rules, scrapes(expiring), nothingEver)).toBe("");
  });

  it("BackupFailed: a first failure is seen although it never happened before, 5 min after its record", async () => {
    const failed = record("redis", "snapshot", iso(10 * 60 - 5), { copies: [copyOk("r2"), copyFailed("s3", "refused", "unavailable")] });
    expect(await judge(withRecord(failed, 10), [[14, {}], [15, { BackupFailed: 1 }], [length, { BackupFailed: 1 }]])).toBe("");
  });

  it("BackupFailed: also of the store that has never been backed up before", async () => {
    const never: Fault = (world) => ({ ...world, records: world.records.filter(({ store }) => store !== "vault") });
    const failed = record("vault", "snapshot", iso(10 * 60 - 5), { copies: [copyFailed("r2"), copyFailed("s3")] });
    // There is no good backup of it either, so all of it would be lost: it is infinitely behind.
    expect(await judge((world, minute) => withRecord(failed, 10)(never(world, minute), minute), [[9, {}], [15, { BackupFailed: 2, RecoveryPointAging: 1, RecoveryPointStale: 1, StoreRecoveryPointAging: 1 }]])).toBe("");
  });

  it("WalArchiveLate: the one bucket that nothing arrives in any more", async () => {
    expect(await judge(target("r2", 10, { newestWal: minutes(10) * 1_000 - 45_000 }), [[14, {}], [15, { WalArchiveLate: 1 }]])).toBe("");
  });

  it("BackupMetricsStale: a backend that cannot be read, and no alert from what was known of it", async () => {
    expect(await judge(target("s3", 10, { up: false }, { readAt: minutes(10) * 1_000 - 30_000 }), [[24, {}], [25, { BackupMetricsStale: 1 }], [length, { BackupMetricsStale: 1 }]])).toBe("");
  });

  it("VerificationFailed, BackupStorageLow, SynchronousStandbyMissing: as they are seen", async () => {
    const bad = record("redis", "verification", iso(60), { copies: [], details: { backup: "b", store: "redis", ok: false, copies: [] } });
    expect(await judge(withRecord(bad, 2), [[6, {}], [7, { VerificationFailed: 1 }]])).toBe("");
    expect(await judge(target("r2", 5, { availableBytes: 5e9 }), [[14, {}], [15, { BackupStorageLow: 1 }]])).toBe("");
    expect(await judge(target("r2", 5, {}, { replication: { lags: [], synchronousStandbys: 0 } }), [[6, {}], [7, { SynchronousStandbyMissing: 1 }]])).toBe("");
  });

  it("RecoveryPointAging and Stale: Redis is not backed up any more", async () => {
    const stopped: Fault = (world) => ({ ...world, records: world.records.filter(({ store, startedAt }) => store !== "redis" || Date.parse(startedAt) <= 0) });
    expect(await judge(stopped, [[12, {}], [13, { RecoveryPointAging: 1 }], [14, { RecoveryPointAging: 1, StoreRecoveryPointAging: 1 }], [20, { RecoveryPointAging: 1, StoreRecoveryPointAging: 1 }], [21, { RecoveryPointAging: 1, RecoveryPointStale: 1, StoreRecoveryPointAging: 1 }]])).toBe("");
  });
});

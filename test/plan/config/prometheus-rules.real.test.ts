import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { dashboardQueries } from "../../../plan/config/grafana-dashboard.ts";
import { prometheusRules, prometheusRulesYaml, watchdog } from "../../../plan/config/prometheus-rules.ts";
import { toYaml } from "../../../plan/config/yaml.ts";
import { exporterJob, failureKinds, metrics } from "../../../plan/metrics.ts";
import { overdueAfter } from "../../../plan/overdue.ts";
import { intervalOf } from "../../../plan/schedule.ts";
import { days, minutes } from "../../../plan/units.ts";
import { checkRules, firingAt, promtool, testRules, type Expected, type Series } from "../../harness/promtool.ts";

const input = { plan: blackroad, runbookUrl: "https://runbook.example/disaster-recovery.md", labels: { region: "us-east-1" } };
const rules = prometheusRulesYaml(input);
const { postgres, system } = blackroad;

type Line = (minute: number) => number;
const constantly = (value: number): Line => () => value;
const over = (length: number, line: Line, step: number): number[] => Array.from({ length: Math.ceil(length / step) + 1 }, (_, index) => line(index * step));
/** One value until a minute, another from then on. */
const from = (minute: number, before: number, after: number): Line => (now) => (now < minute ? before : after);

const lastBackup = (type: string): string => `${metrics.lastBackup.name}{type="${type}"}`;
const failure = (type: string, target: string, error: string): string => `${metrics.backupFailure.name}{type="${type}",target="${target}",error="${error}"}`;

/** Each run begins when it is due, takes all of its deadline, and is seen when it has ended. */
const onTime = (interval: number, deadline: number): Line => (minute) => Math.floor((minute * 60 - deadline) / interval) * interval;
const newest = Object.fromEntries(blackroad.schedules.map((schedule) => [lastBackup(schedule.name), onTime(intervalOf(schedule), schedule.deadline)]));

/** A system in which all is as the plan has it, at the worst that is still in order. */
const healthy: Readonly<Record<string, Line>> = {
  ...newest,
  // Of one type: more of the same zeros would say no more, and take minutes.
  ...Object.fromEntries(["r2", "s3"].flatMap((target) => failureKinds.map((error) => [failure("redis-snapshot", target, error), constantly(0)]))),
  // The snapshots' sawtooth: from their deadline to an interval and the next one's deadline.
  [metrics.recoveryPointAge.name]: (minute) => minutes(4) + (minute % 5) * 60,
  // Each store is as old as its backups let it be: an interval, and a run that takes all of its deadline.
  [`${metrics.storeRecoveryPointAge.name}{store="redis"}`]: (minute) => minutes(4) + (minute % 5) * 60,
  [`${metrics.storeRecoveryPointAge.name}{store="metrics"}`]: (minute) => minutes(15) + (minute % 20) * 60,
  [metrics.storageAvailable.name]: constantly(10 * 1024 ** 3),
  [`${metrics.walAge.name}{target="r2"}`]: (minute) => (minute % 2) * (postgres.archiveTimeout + postgres.pushBoundDegraded),
  [`${metrics.walAge.name}{target="s3"}`]: constantly(postgres.archiveTimeout + postgres.pushBound),
  [`${metrics.replicationLag.name}{replica="pg-2"}`]: constantly(system.replicationLag),
  [metrics.synchronousStandbys.name]: constantly(1),
  [`${metrics.verificationOk.name}{store="postgres"}`]: constantly(1),
  // A drill a week, on a day that it takes.
  [`${metrics.drillPassed.name}{scenario="region-loss"}`]: onTime(days(7), days(1)),
  [`${metrics.drillPassed.name}{scenario="provider-loss"}`]: constantly(0),
  [`${metrics.tokenExpiry.name}{token="r2-writer"}`]: constantly(days(14 + 7 + 1)),
  [`up{job="${exporterJob}"}`]: constantly(1),
  [metrics.exporterRead.name]: (minute) => minute * 60 - 60,
};

const seriesOver = (length: number, faults: Readonly<Record<string, Line>>, step = 1): Series => Object.fromEntries(Object.entries({ ...healthy, ...faults }).map(([name, line]) => [name, over(length, line, step)]));
const expectFiring = async (faults: Readonly<Record<string, Line>>, expected: readonly Expected[]): Promise<void> => {
  const length = Math.max(...expected.map(({ minute }) => minute));
  expect(await testRules(rules, seriesOver(length, faults), { queries: expected.map((one) => firingAt(one, watchdog)) })).toBe("");
};

/** Minutes between two evaluations of the week: no multiple of what comes again every 2, 5 or 20 minutes, so each height
 * of those saw teeth is looked at, and a seventh of the work. */
const weeksStep = 7;
/** When something happened that is older than a threshold from the minute 11 on: before time began, as promtool has it,
 * so that what takes days to fire is looked at minute by minute. */
const overSoon = (threshold: number): Line => constantly(10 * 60 - threshold);
const overAt = 11;

/** The types of each threshold: a run of Prometheus a type would take minutes. */
const thresholds = Map.groupBy(blackroad.schedules.map((schedule) => ({ type: schedule.name, after: overdueAfter(blackroad, schedule) })), ({ after }) => after)
  .entries()
  .map(([after, list]) => [after, list.map(({ type }) => type)] as const);

interface Case {
  readonly alert: string;
  readonly what: string;
  readonly faults: Readonly<Record<string, Line>>;
  /** The minute from which it fires; the one before is silent. */
  readonly at: number;
  readonly firing?: Readonly<Record<string, number>>;
  readonly before?: Readonly<Record<string, number>>;
}
const cases: readonly Case[] = [
  { alert: "BackupFailed", what: "5 min after a failure is counted", faults: { [failure("redis-snapshot", "r2", "unavailable")]: from(10, 0, 1) }, at: 15 },
  { alert: "RecoveryPointAging", what: "before the objective is broken", faults: { [metrics.recoveryPointAge.name]: (minute) => minute * 60 }, at: 13 },
  { alert: "RecoveryPointStale", what: "5 min after the objective is broken", faults: { [metrics.recoveryPointAge.name]: (minute) => minute * 60 }, at: 21, before: { RecoveryPointAging: 1 }, firing: { RecoveryPointAging: 1, RecoveryPointStale: 1 } },
  { alert: "StoreRecoveryPointAging", what: "before the quarter of an hour of a critical store is over", faults: { [`${metrics.storeRecoveryPointAge.name}{store="redis"}`]: (minute) => minute * 60 }, at: 14 },
  { alert: "StoreRecoveryPointAging", what: "before the hour of an operational one is over", faults: { [`${metrics.storeRecoveryPointAge.name}{store="metrics"}`]: (minute) => minute * 60 }, at: 48 },
  { alert: "BackupStorageLow", what: "10 min after less than 10 GiB are left", faults: { [metrics.storageAvailable.name]: from(5, 10 * 1024 ** 3, 10 * 1024 ** 3 - 1) }, at: 15 },
  { alert: "WalArchiveLate", what: "for the one bucket that no segment reaches any more", faults: { [`${metrics.walAge.name}{target="r2"}`]: (minute) => minute * 60 }, at: 6 },
  { alert: "ReplicationLagHigh", what: "a minute after a replica falls behind", faults: { [`${metrics.replicationLag.name}{replica="pg-2"}`]: from(5, 0.2, 1.1) }, at: 6 },
  { alert: "SynchronousStandbyMissing", what: "2 min after the last standby left", faults: { [metrics.synchronousStandbys.name]: from(5, 1, 0) }, at: 7 },
  { alert: "VerificationFailed", what: "5 min after a bad verification", faults: { [`${metrics.verificationOk.name}{store="postgres"}`]: from(5, 1, 0) }, at: 10 },
  { alert: "DrillOverdue", what: "8 days after the newest that passed", faults: { [`${metrics.drillPassed.name}{scenario="region-loss"}`]: overSoon(days(8)), [`${metrics.drillPassed.name}{scenario="provider-loss"}`]: overSoon(days(9)) }, at: overAt + 60 },
  { alert: "R2TokenExpiring", what: "14 days before a token expires", faults: { [`${metrics.tokenExpiry.name}{token="r2-writer"}`]: constantly(days(14) + 600) }, at: 11 + 60 },
  { alert: "BackupExporterDown", what: "5 min after the exporter stops answering", faults: { [`up{job="${exporterJob}"}`]: from(5, 1, 0) }, at: 10 },
  { alert: "BackupExporterDown", what: "5 min after the exporter is gone from Prometheus", faults: { [`up{job="${exporterJob}"}`]: from(5, 1, NaN) }, at: 10 },
  { alert: "BackupMetricsStale", what: "when what the exporter says is 10 min old", faults: { [metrics.exporterRead.name]: constantly(0) }, at: 16 },
];

describe.skipIf(promtool === undefined)("the alert rules, judged by Prometheus (needs promtool)", () => {
  it("pass promtool's check and its lint", async () => {
    expect(await checkRules(rules)).toBe("");
  });

  it("are silent in a healthy week, but for the one that says that they are alive", async () => {
    const week = 7 * 1_440;
    const queries = [
      { expr: `count_over_time(ALERTS{alertstate="firing",alertname!="${watchdog}"}[${week}m])`, eval_time: `${week}m`, exp_samples: [] },
      { expr: `sum(count_over_time(ALERTS{alertstate="firing",alertname="${watchdog}"}[1d]))`, eval_time: `${week}m`, exp_samples: [{ labels: "{}", value: Math.floor(1_440 / weeksStep) + 1 }] },
    ];
    expect(await testRules(rules, seriesOver(week, {}, weeksStep), { step: weeksStep, queries })).toBe("");
  });

  it.each(cases)("$alert fires $what, and not before", async ({ alert, faults, at, firing = { [alert]: 1 }, before = {} }) => {
    await expectFiring(faults, [{ minute: at - 1, firing: before }, { minute: at, firing }]);
  });

  it.each([...thresholds])("BackupOverdue fires after %i s without a success for what has this threshold, and for nothing else", async (threshold, types) => {
    const at = overAt + 5;
    const faults = Object.fromEntries(types.map((type) => [lastBackup(type), overSoon(threshold)]));
    const byType = { expr: `count by (type) (ALERTS{alertstate="firing",alertname="BackupOverdue"})`, eval_time: `${at}m`, exp_samples: types.map((type) => ({ labels: `{type="${type}"}`, value: 1 })) };
    const silent = firingAt({ minute: at - 1, firing: {} }, watchdog);
    const loud = firingAt({ minute: at, firing: { BackupOverdue: types.length } }, watchdog);
    expect(await testRules(rules, seriesOver(at, faults), { queries: [silent, loud, byType] })).toBe("");
  });

  it("says that a missing daily full backup is critical, and a late frequent one a warning", async () => {
    const faults = { [lastBackup("postgres-full")]: constantly(-2 * days(1)), [lastBackup("redis-snapshot")]: constantly(-1 * days(1)) };
    const severities = { expr: `count by (type, severity) (ALERTS{alertname="BackupOverdue",alertstate="firing"})`, eval_time: "5m", exp_samples: [{ labels: '{severity="critical",type="postgres-full"}', value: 1 }, { labels: '{severity="warning",type="redis-snapshot"}', value: 1 }] };
    expect(await testRules(rules, seriesOver(5, faults), { queries: [severities] })).toBe("");
  });

  it("fall silent when what they tell of is over", async () => {
    const faults = { [failure("redis-snapshot", "r2", "unavailable")]: from(10, 0, 1), [metrics.synchronousStandbys.name]: (minute: number) => (minute >= 5 && minute < 20 ? 0 : 1) };
    await expectFiring(faults, [{ minute: 19, firing: { BackupFailed: 1, SynchronousStandbyMissing: 1 } }, { minute: 20, firing: { BackupFailed: 1 } }, { minute: 71, firing: {} }]);
  });

  it("tell who, how much and where to read on", async () => {
    const rule = prometheusRules(input).flatMap((group) => group.rules).find(({ alert }) => alert === "BackupFailed");
    const alert = {
      eval_time: "15m",
      alertname: "BackupFailed",
      exp_alerts: [{
        exp_labels: { type: "redis-snapshot", target: "r2", error: "unavailable", severity: "critical", region: "us-east-1" },
        exp_annotations: { summary: "Backup redis-snapshot failed in r2", description: rule?.annotations.description.replace("{{ $labels.type }}", "redis-snapshot").replace("{{ $labels.target }}", "r2").replace("{{ $labels.error }}", "unavailable"), runbook_url: "https://runbook.example/disaster-recovery.md#backupfailed" },
      }],
    };
    const lag = { eval_time: "6m", alertname: "ReplicationLagHigh", exp_alerts: [{ exp_labels: { replica: "pg-2", severity: "warning", region: "us-east-1" }, exp_annotations: { summary: "The replica pg-2 is 2.5s behind", description: "Promised is at most 1 s. If the leader's region were lost now, this much would be lost with it.", runbook_url: "https://runbook.example/disaster-recovery.md#replicationlaghigh" } }] };
    const faults = { [failure("redis-snapshot", "r2", "unavailable")]: from(10, 0, 1), [`${metrics.replicationLag.name}{replica="pg-2"}`]: constantly(2.5) };
    expect(await testRules(rules, seriesOver(15, faults), { alerts: [alert, lag] })).toBe("");
  });

  it("and everything that the dashboard asks, are queries that Prometheus can read", async () => {
    const recorded = dashboardQueries(blackroad).map((expr, index) => ({ record: `dashboard:query:${index}`, expr }));
    expect(await checkRules(toYaml({ groups: [{ name: "dashboard", rules: recorded }] }))).toBe("");
  });
});

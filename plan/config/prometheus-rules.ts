/** The alert rules that follow from the plan, for Prometheus: PrometheusRule's `spec` and a rule file are both made of it. */
import { overdueAfter } from "../overdue.ts";
import { exporterJob, metrics } from "../metrics.ts";
import { storesByPromise } from "../promised-loss.ts";
import type { Alert, Plan, Schedule } from "../types.ts";
import { formatDuration, formatSize, type Duration } from "../units.ts";
import { toYaml } from "./yaml.ts";

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  /** As Prometheus writes durations; absent: it fires at once. */
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export interface PrometheusRules {
  readonly plan: Plan;
  /** Where the runbook is served, without a slash at its end; each alert links to the section with its name. */
  readonly runbookUrl: string;
  /** Given to every alert, e.g. the region and the namespace that Alertmanager's configuration matches. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Fires always: who hears it no more knows that the alarms themselves are dead. */
export const watchdog = "BackupMonitoringAlive";

/** In groups by what they are about; an alert of the plan that has a threshold per schedule makes several rules. */
export function prometheusRules(input: PrometheusRules): readonly RuleGroup[] {
  const { plan } = input;
  const of = (...kinds: readonly Alert["kind"][]): Rule[] => plan.alerts.filter(({ kind }) => kinds.includes(kind)).flatMap((alert) => rulesOf(input, alert));
  return [
    { name: `${plan.name}-backups`, rules: of("failures", "overdue", "storage-available") },
    { name: `${plan.name}-recovery-point`, rules: of("recovery-point-age", "store-recovery-point-age", "wal-age", "replication-lag", "synchronous-standby-missing") },
    { name: `${plan.name}-proof`, rules: of("verification-failed", "drill-overdue", "token-expiry") },
    { name: `${plan.name}-monitoring`, rules: [...of("exporter-down", "metrics-stale"), watchdogRule(input)] },
  ];
}

/** A rule file of Prometheus. */
export const prometheusRulesYaml = (input: PrometheusRules): string =>
  toYaml({ groups: prometheusRules(input).map(({ name, rules }) => ({ name, rules: rules.map(({ annotations, ...rule }) => ({ ...rule, annotations: { ...annotations } })) })) });

/** `7200` as `2h`, `90` as `1m30s`: what Prometheus reads. */
export function promDuration(duration: Duration): string {
  const parts: string[] = [];
  let rest = Math.round(duration);
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0s" : parts.join("");
}

interface Said {
  readonly expr: string;
  readonly summary: string;
  readonly description: string;
  /** Besides the plan's. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly severity?: Alert["severity"];
}

function rulesOf(input: PrometheusRules, alert: Alert): Rule[] {
  return saidOf(input.plan, alert).map(({ expr, summary, description, labels = {}, severity = alert.severity }) => ({
    alert: alert.name,
    expr,
    for: promDuration(alert.for),
    labels: { ...input.labels, ...labels, severity },
    annotations: { summary, description, runbook_url: runbookOf(input, alert.name) },
  }));
}

/** A section of the runbook has its alert's name in lower case: what renderers of Markdown make of a heading. */
const runbookOf = ({ runbookUrl }: PrometheusRules, alert: string): string => `${runbookUrl}#${alert.toLowerCase()}`;

function watchdogRule(input: PrometheusRules): Rule {
  return {
    alert: watchdog,
    expr: "vector(1)",
    labels: { ...input.labels, severity: "none" },
    annotations: {
      summary: "The monitoring of the backups is alive",
      description: "Fires always. The service that receives it calls people when it stays away: then Prometheus, Alertmanager or the whole region is gone.",
      runbook_url: runbookOf(input, watchdog),
    },
  };
}

const value = (kind: "humanizeDuration" | "humanize1024"): string => `{{ $value | ${kind} }}`;
const label = (name: string): string => `{{ $labels.${name} }}`;

function saidOf(plan: Plan, alert: Alert): readonly Said[] {
  switch (alert.kind) {
    case "failures":
      return [{
        expr: `increase(${metrics.backupFailure.name}[${promDuration(alert.window)}]) > ${alert.above}`,
        summary: `Backup ${label("type")} failed in ${label("target")}`,
        description: `A run of ${label("type")} left no copy in ${label("target")} (${label("error")}) within the last ${formatDuration(alert.window)}. \`dr catalog list\` names it and says why; the copies in other backends stand.`,
      }];
    case "overdue":
      return overdueRules(plan, alert);
    case "recovery-point-age":
      return [{
        expr: `${metrics.recoveryPointAge.name} > ${alert.above}`,
        summary: `What can be recovered is ${value("humanizeDuration")} old`,
        description: alert.above >= plan.system.rpo ? `The objective of ${formatDuration(plan.system.rpo)} is broken: everything newer would be lost now. \`dr status\` names the store.` : `At ${formatDuration(plan.system.rpo)} the objective is broken. \`dr status\` names the store that falls behind.`,
      }];
    case "store-recovery-point-age":
      return storeAgeRules(plan, alert);
    case "storage-available":
      return [{
        expr: `${metrics.storageAvailable.name} < ${alert.below}`,
        summary: `Only ${value("humanize1024")}B left for backups`,
        description: `Less than ${formatSize(alert.below)} are left in one of the backends; when it is full its backups fail. \`dr status\` names it. Raise the quota, or look for what grew.`,
      }];
    case "wal-age":
      return [{
        expr: `${metrics.walAge.name} > ${alert.above}`,
        summary: `The newest WAL in ${label("target")} is ${value("humanizeDuration")} old`,
        description: `Seen in the bucket itself. A segment closes after ${formatDuration(plan.postgres.archiveTimeout)} and is there ${formatDuration(plan.postgres.pushBoundDegraded)} later even beside a dead repository: the archiver is stuck or lies.`,
      }];
    case "replication-lag":
      return [{
        expr: `${metrics.replicationLag.name} > ${alert.above}`,
        summary: `The replica ${label("replica")} is ${value("humanizeDuration")} behind`,
        description: `Promised is at most ${formatDuration(plan.system.replicationLag)}. If the leader's region were lost now, this much would be lost with it.`,
      }];
    case "synchronous-standby-missing":
      return [{
        expr: `${metrics.synchronousStandbys.name} < 1`,
        summary: "No standby confirms PostgreSQL's commits",
        description: "Commits are acknowledged although only the leader has them: losing its server now loses data, which the plan promises not to. See why the synchronous replica is away.",
      }];
    case "verification-failed":
    case "drill-overdue":
    case "token-expiry":
    case "exporter-down":
    case "metrics-stale":
      return saidOfProof(alert);
  }
}

/** What proves that the backups are good, and that somebody looks. */
function saidOfProof(alert: Extract<Alert, { readonly kind: "verification-failed" | "drill-overdue" | "token-expiry" | "exporter-down" | "metrics-stale" }>): readonly Said[] {
  switch (alert.kind) {
    case "verification-failed":
      return [{
        expr: `${metrics.verificationOk.name} == 0`,
        summary: `A backup of ${label("store")} did not pass its verification`,
        description: `The newest verification restored a copy and found it bad. \`dr status\` names it; recover from another one, and make a new full backup now.`,
      }];
    case "drill-overdue":
      return [{
        expr: `time() - max(${metrics.drillPassed.name}) > ${alert.above}`,
        summary: `No drill has passed for ${value("humanizeDuration")}`,
        description: `One must pass at least every ${formatDuration(alert.above)}; until then the recovery times are hearsay. See the last report, and run \`dr drill run\`.`,
      }];
    case "token-expiry":
      return [{
        expr: `${metrics.tokenExpiry.name} - time() < ${alert.below}`,
        summary: `The token ${label("token")} expires in ${value("humanizeDuration")}`,
        description: "After that R2 refuses the backups, or their readers. Add the next token to the configuration and `pulumi up`; both are valid meanwhile.",
      }];
    case "exporter-down":
      return [{
        expr: `absent(up{job="${exporterJob}"} == 1)`,
        summary: "Nothing says how the backups are",
        description: "Prometheus cannot reach the backups' exporter, so no other alert of the backups can fire. Look at its pods, its network policy and the service monitor.",
      }];
    case "metrics-stale":
      return [{
        expr: `time() - ${metrics.exporterRead.name} > ${alert.above}`,
        summary: `The backups' metrics are ${value("humanizeDuration")} old`,
        description: "The exporter answers but has not been able to read a backend: what it says is old, and other alerts may not fire. Its log says what refuses.",
      }];
  }
}

/** A rule for the stores that are promised the same. */
function storeAgeRules(plan: Plan, { share }: Extract<Alert, { readonly kind: "store-recovery-point-age" }>): readonly Said[] {
  return [...storesByPromise(plan)].map(([promised, stores]): Said => ({
    expr: `${metrics.storeRecoveryPointAge.name}{store=~"${stores.map(({ name }) => name).join("|")}"} > ${share * promised}`,
    summary: `What can be recovered of ${label("store")} is ${value("humanizeDuration")} old`,
    description: `At ${formatDuration(promised)} what is promised of ${label("store")} is broken: everything newer would be lost with what is live. \`dr status\` says which of its backups does not come through.`,
    // Prometheus wants rules of one name to differ by more than their expression.
    labels: { promised: promDuration(promised) },
  }));
}

/** The plan's threshold for all that run often enough, and one of its own for every other schedule. */
function overdueRules(plan: Plan, alert: Extract<Alert, { readonly kind: "overdue" }>): readonly Said[] {
  const name = metrics.lastBackup.name;
  const description = (threshold: Duration): string => `The newest complete backup of this type began more than ${formatDuration(threshold)} ago. \`kubectl get cronjobs,jobs\` shows whether it runs, \`dr catalog list\` what became of it.`;
  const summary = `Backup ${label("type")} is overdue: the newest is ${value("humanizeDuration")} old`;
  const frequent = plan.schedules.filter((schedule) => overdueAfter(plan, schedule) === alert.above);
  const types = frequent.map((schedule) => schedule.name).join("|");
  const rare = plan.schedules.filter((schedule) => !frequent.includes(schedule));
  return [
    ...(frequent.length === 0 ? [] : [{ expr: `time() - ${name}{type=~"${types}"} > ${alert.above}`, summary, description: description(alert.above) }]),
    ...rare.map((schedule): Said => {
      const threshold = overdueAfter(plan, schedule);
      // Named as a label too: Prometheus wants rules of one name to differ by more than their expression.
      return { expr: `time() - ${name}{type="${schedule.name}"} > ${threshold}`, summary, description: description(threshold), labels: { type: schedule.name }, ...severityOf(schedule) };
    }),
  ];
}

/** That the complete system was not backed up is as bad as that it failed (S5). */
const severityOf = (schedule: Schedule): Pick<Said, "severity"> => (schedule.name === "postgres-full" ? { severity: "critical" } : {});

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { blackroad } from "../../plan/blackroad.ts";
import { dashboardQueries, grafanaDashboard } from "../../plan/config/grafana-dashboard.ts";
import { promDuration, prometheusRules, prometheusRulesYaml, watchdog } from "../../plan/config/prometheus-rules.ts";
import { allMetrics, failureKinds, metricLabels, metrics } from "../../plan/metrics.ts";
import { days, gib, hours, minutes, seconds } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";

const input = { plan: blackroad, runbookUrl: "https://runbook.example/dr.md" };
const rules = prometheusRules(input).flatMap((group) => group.rules);
const named = (alert: string) => rules.filter((rule) => rule.alert === alert);
const known = new Set(allMetrics.flatMap((metric) => (metric.type === "histogram" ? [metric.name, `${metric.name}_bucket`] : [metric.name])));
const asked = (expr: string): string[] => [...expr.matchAll(/blackroad_[a-z0-9_]+/g)].map(([name]) => name);

describe("the metrics", () => {
  it.each([
    ["N1", "blackroad_backup_success_total", "counter", ["type", "target"]],
    ["N2", "blackroad_backup_failure_total", "counter", ["type", "target", "error"]],
    ["N3", "blackroad_backup_duration_seconds", "histogram", ["type"]],
    ["N4", "blackroad_backup_size_bytes", "gauge", ["type", "target"]],
    ["N5", "blackroad_last_backup_timestamp", "gauge", ["type"]],
    ["N6", "blackroad_recovery_point_age_seconds", "gauge", []],
    ["N7", "blackroad_backup_storage_available_bytes", "gauge", []],
  ])("%s is %s, as the requirements have it", (keeps, name, type, labels) => {
    expect(allMetrics.find((metric) => metric.name === name)).toMatchObject({ keeps, type, labels });
  });

  it("N3: its buckets are 60 300 600 1800 3600 7200", () => {
    expect(metrics.backupDuration.buckets).toEqual([60, 300, 600, 1_800, 3_600, 7_200]);
  });

  it("have each a name of their own that says the unit, a help, and labels that are explained", () => {
    const names = allMetrics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, unit, help, labels } of allMetrics) {
      expect(name).toMatch(/^blackroad_[a-z][a-z0-9_]*[a-z]$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      if (unit === "bytes" || (unit === "seconds" && type !== "counter")) expect(name.endsWith(`_${unit}`), name).toBe(true);
      if (unit === "timestamp") expect(name, name).toMatch(/_timestamp(_seconds)?$/);
      expect(help.length, name).toBeGreaterThan(20);
      for (const label of labels) expect(Object.keys(metricLabels)).toContain(label);
    }
  });

  it("count failures by the kinds of the runner's errors", () => {
    expect([...failureKinds].sort()).toEqual(Object.keys(exitCodes).sort());
  });
});

describe("the alert rules", () => {
  it("N8: BackupFailed", () => {
    expect(named("BackupFailed")).toMatchObject([{ expr: "increase(blackroad_backup_failure_total[1h]) > 0", for: "5m", labels: { severity: "critical" } }]);
  });

  it("N9: BackupOverdue for the frequent types, and a threshold from its own schedule for each other", () => {
    const [frequent, ...others] = named("BackupOverdue");
    expect(frequent).toMatchObject({ for: "5m", labels: { severity: "warning" } });
    expect(frequent?.expr).toMatch(/^time\(\) - blackroad_last_backup_timestamp\{type=~"postgres-incremental\|redis-snapshot\|.*"\} > 7200$/);
    expect(others.map(({ labels, expr }) => [labels["type"], expr.split(" > ")[1], labels["severity"]])).toEqual([
      ["postgres-diff", String(hours(2) + minutes(45)), "warning"],
      ["postgres-full", String(days(1) + minutes(90)), "critical"],
      ["archive", String(days(7) + hours(6)), "warning"],
      ["verify", String(days(7) + hours(6)), "warning"],
    ]);
  });

  it("N10: RecoveryPointStale, and one that warns at half of it", () => {
    expect(named("RecoveryPointStale")).toMatchObject([{ expr: "blackroad_recovery_point_age_seconds > 900", for: "5m", labels: { severity: "warning" } }]);
    expect(named("RecoveryPointAging")).toMatchObject([{ expr: "blackroad_recovery_point_age_seconds > 450", for: "5m", labels: { severity: "warning" } }]);
  });

  it("O1: an alert of each store by itself, before what it is promised is broken", () => {
    expect(named("StoreRecoveryPointAging").map(({ expr, for: holds, labels }) => [expr, holds, labels["promised"]])).toEqual([
      ['blackroad_store_recovery_point_age_seconds{store=~"postgres|redis|vault|vectors|objects"} > 675', "2m", "15m"],
      ['blackroad_store_recovery_point_age_seconds{store=~"logs|metrics|configuration"} > 2700', "2m", "1h"],
    ]);
  });

  it("N11: BackupStorageLow", () => {
    expect(named("BackupStorageLow")).toMatchObject([{ expr: "blackroad_backup_storage_available_bytes < 10737418240", for: "10m", labels: { severity: "warning" } }]);
  });

  it("cover every alert of the plan, every schedule, and always one", () => {
    expect([...new Set(rules.map(({ alert }) => alert))].sort()).toEqual([...blackroad.alerts.map(({ name }) => name), watchdog].sort());
    const overdue = named("BackupOverdue").map(({ expr }) => expr).join(" ");
    for (const { name } of blackroad.schedules) expect(overdue).toMatch(new RegExp(`["|]${name}["|]`));
    expect(named(watchdog)).toMatchObject([{ expr: "vector(1)", labels: { severity: "none" } }]);
  });

  it("ask for metrics that exist, say what and what to do, and link to a section each", () => {
    for (const { alert, expr, annotations } of rules) {
      expect(asked(expr).filter((name) => !known.has(name)), alert).toEqual([]);
      expect(annotations.summary.length, alert).toBeLessThan(100);
      expect(annotations.description, alert).toMatch(/\.$/);
      expect(annotations.runbook_url).toBe(`https://runbook.example/dr.md#${alert.toLowerCase()}`);
      // What a label says exists in the metric.
      const labels = [...`${annotations.summary}${annotations.description}`.matchAll(/\$labels\.(\w+)/g)].map((match) => match[1]);
      const metric = allMetrics.find(({ name }) => expr.includes(name));
      expect(labels.filter((label) => !metric?.labels.some((one) => one === label)), alert).toEqual([]);
    }
  });

  it("follow the plan: another threshold there is another one here", () => {
    const other = { ...blackroad, alerts: blackroad.alerts.map((alert) => (alert.kind === "storage-available" ? { ...alert, below: gib(20), for: seconds(90) } : alert)) };
    const changed = prometheusRules({ ...input, plan: other }).flatMap((group) => group.rules).find(({ alert }) => alert === "BackupStorageLow");
    expect(changed).toMatchObject({ expr: `blackroad_backup_storage_available_bytes < ${gib(20)}`, for: "1m30s" });
  });

  it("carry the region's labels, as a rule file too", () => {
    const text = prometheusRulesYaml({ ...input, labels: { region: "us-west-2" } });
    expect(text.match(/region: "us-west-2"/g)).toHaveLength(rules.length);
    expect(text.startsWith("groups:\n")).toBe(true);
  });

  it.each([[0, "0s"], [90, "1m30s"], [3_600, "1h"], [days(8) + 1, "8d1s"]])("write %i seconds as %s", (duration, text) => {
    expect(promDuration(seconds(duration))).toBe(text);
  });
});

const panelSchema = z.looseObject({ id: z.number(), type: z.string(), title: z.string(), gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }) });
const dashboardSchema = z.object({ uid: z.string(), panels: z.array(panelSchema) });

describe("the dashboard", () => {
  const { panels, uid } = dashboardSchema.parse(JSON.parse(grafanaDashboard(blackroad)));

  it("asks for metrics that exist, and shows each of them", () => {
    const queries = dashboardQueries(blackroad).flatMap(asked);
    expect(queries.filter((name) => !known.has(name))).toEqual([]);
    const shown = new Set(queries.map((name) => name.replace(/_bucket$/, "")));
    expect(allMetrics.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it("places its panels beside and under each other, none over another", () => {
    expect(uid).toBe("blackroad-backups");
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos: { x, y, w, h } } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column += 1) {
        for (let line = y; line < y + h; line += 1) {
          expect(taken.has(`${column} ${line}`), title).toBe(false);
          taken.add(`${column} ${line}`);
        }
      }
    }
  });

  it("has a panel of its own for types that run about as often, with their own threshold", () => {
    const ages = panels.filter(({ title }) => title.startsWith("Age of the newest"));
    expect(ages.map(({ title }) => title)).toEqual(["Age of the newest: frequent backups", "Age of the newest: postgres-diff", "Age of the newest: postgres-full", "Age of the newest: archive, verify"]);
    expect(JSON.stringify(ages[2])).toContain(`"value":${days(1) + minutes(90)}`);
  });

  it("shows promised, predicted and measured side by side", () => {
    const table = JSON.stringify(panels.find(({ title }) => title.startsWith("RPO")));
    expect(table).toContain('"Value #A":"promised","Value #B":"predicted","Value #C":"measured"');
  });
});

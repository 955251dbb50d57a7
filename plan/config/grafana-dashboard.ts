/** The Grafana dashboard of the backups, from the plan and its metrics. */
import { overdueAfter } from "../overdue.ts";
import { metrics } from "../metrics.ts";
import type { Plan } from "../types.ts";

type Unit = "s" | "bytes" | "short" | "percentunit" | "bool_yes_no" | "dateTimeFromNow";

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: "timeseries" | "stat" | "table" | "state-timeline";
  readonly unit: Unit;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
  /** Of 24. */
  readonly width: number;
  readonly thresholds?: readonly Threshold[];
}
interface Threshold {
  readonly color: "green" | "orange" | "red";
  /** From where on; `null`: from the least. */
  readonly value: number | null;
}
interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Rows of Grafana's grid. */
const height = 8;
const schema = 39; // Grafana 10 and later read it; newer ones migrate it

/** The dashboard as Grafana imports it. Its data source is chosen in the dashboard itself. */
export function grafanaDashboard(plan: Plan): string {
  const rows = [promises(plan), ages(plan), replication(plan), runs(), proof(plan)];
  const dashboard = {
    uid: `${plan.name}-backups`,
    title: `${plan.name}: backups and recovery`,
    tags: ["backup", "disaster-recovery", plan.name],
    timezone: "utc",
    schemaVersion: schema,
    editable: false,
    refresh: "1m",
    time: { from: "now-24h", to: "now" },
    templating: { list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus", hide: 0 }] },
    panels: placed(rows),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Everything that the dashboard asks Prometheus. */
export const dashboardQueries = (plan: Plan): readonly string[] => [promises(plan), ages(plan), replication(plan), runs(), proof(plan)].flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));

const below = (orange: number, red: number): readonly Threshold[] => [{ color: "green", value: null }, { color: "orange", value: orange }, { color: "red", value: red }];
const atLeast = (value: number): readonly Threshold[] => [{ color: "red", value: null }, { color: "green", value }];

function promises({ system }: Plan): Row {
  const three = (promised: string, predicted: string, measured: string) => [
    { expr: `max by (store, scope) (${promised})`, legend: "promised" },
    { expr: `max by (store, scope) (${predicted})`, legend: "predicted" },
    { expr: `max by (store, scope) (${measured})`, legend: "measured" },
  ];
  return {
    title: "What is promised, and what was measured",
    panels: [
      { title: "Recovery point age", kind: "stat", unit: "s", width: 6, description: "What would be lost if everything live were gone now.", queries: [{ expr: metrics.recoveryPointAge.name, legend: "" }], thresholds: below(system.rpo / 2, system.rpo) },
      { title: "Recovery point age by store", kind: "timeseries", unit: "s", width: 18, description: "The same of each store; the objective of the system is the red line.", queries: [{ expr: `max by (store) (${metrics.storeRecoveryPointAge.name})`, legend: "{{store}}" }], thresholds: below(system.rpo / 2, system.rpo) },
      { title: "RPO: promised, predicted, measured", kind: "table", unit: "s", width: 12, description: "Data lost per store and failure; measured by the newest drill.", queries: three(metrics.promisedRpo.name, metrics.predictedRpo.name, metrics.measuredRpo.name) },
      { title: "RTO: promised, predicted, measured", kind: "table", unit: "s", width: 12, description: "Time to restore per store and failure; measured by the newest drill.", queries: three(metrics.promisedRto.name, metrics.predictedRto.name, metrics.measuredRto.name) },
    ],
  };
}

/** One panel for what runs about as often, as a daily backup's age would flatten the others. */
function ages(plan: Plan): Row {
  const groups = new Map<number, string[]>();
  for (const schedule of plan.schedules) groups.set(overdueAfter(plan, schedule), [...(groups.get(overdueAfter(plan, schedule)) ?? []), schedule.name]);
  const panels = [...groups].map(([threshold, types]): Panel => ({
    title: `Age of the newest: ${types.length > 2 ? "frequent backups" : types.join(", ")}`,
    kind: "timeseries", unit: "s", width: 8,
    description: "Since the newest complete run began. Red is overdue.",
    queries: [{ expr: `time() - max by (type) (${metrics.lastBackup.name}{type=~"${types.join("|")}"})`, legend: "{{type}}" }],
    thresholds: [{ color: "green", value: null }, { color: "red", value: threshold }],
  }));
  return { title: "Age of each backup", panels };
}

function replication({ system, postgres, recovery }: Plan): Row {
  const promised = postgres.archiveTimeout + postgres.pushBound;
  return {
    title: "PostgreSQL's stream",
    panels: [
      { title: "WAL age by target", kind: "timeseries", unit: "s", width: 8, description: "Of the newest segment, as it stands in the bucket.", queries: [{ expr: `max by (target) (${metrics.walAge.name})`, legend: "{{target}}" }], thresholds: below(promised, postgres.archiveTimeout + postgres.pushBoundDegraded) },
      { title: "Replication lag", kind: "timeseries", unit: "s", width: 8, description: "As the leader sees it.", queries: [{ expr: `max by (replica) (${metrics.replicationLag.name})`, legend: "{{replica}}" }], thresholds: [{ color: "green", value: null }, { color: "red", value: system.replicationLag }] },
      { title: "Synchronous standbys", kind: "stat", unit: "short", width: 4, description: "None: an acknowledged commit is on the leader alone.", queries: [{ expr: `max(${metrics.synchronousStandbys.name})`, legend: "" }], thresholds: atLeast(1) },
      { title: "Recoverable window", kind: "stat", unit: "s", width: 4, description: "How far back each store can be recovered; PostgreSQL to any moment of it.", queries: [{ expr: `max by (store) (${metrics.recoverableWindow.name})`, legend: "{{store}}" }], thresholds: atLeast(recovery.window) },
    ],
  };
}

function runs(): Row {
  return {
    title: "Runs and storage",
    panels: [
      { title: "Backups that succeeded, per hour", kind: "timeseries", unit: "short", width: 8, description: "By type and target.", queries: [{ expr: `sum by (type, target) (increase(${metrics.backupSuccess.name}[1h]))`, legend: "{{type}} {{target}}" }] },
      { title: "Backups that failed, per hour", kind: "timeseries", unit: "short", width: 8, description: "By type, target and kind of failure.", queries: [{ expr: `sum by (type, target, error) (increase(${metrics.backupFailure.name}[1h])) > 0`, legend: "{{type}} {{target}}: {{error}}" }] },
      { title: "Duration, 95th percentile of a day", kind: "timeseries", unit: "s", width: 8, description: "A run is killed at its deadline.", queries: [{ expr: `histogram_quantile(0.95, sum by (type, le) (increase(${metrics.backupDuration.name}_bucket[1d])))`, legend: "{{type}}" }] },
      { title: "Size of the newest", kind: "timeseries", unit: "bytes", width: 8, description: "A backup that shrinks suddenly may be an empty one.", queries: [{ expr: `max by (type, target) (${metrics.backupSize.name})`, legend: "{{type}} {{target}}" }] },
      { title: "Room left", kind: "timeseries", unit: "bytes", width: 8, description: "The quota less what is used, by target and in the fullest.", queries: [{ expr: `min by (target) (${metrics.targetStorageAvailable.name})`, legend: "{{target}}" }, { expr: metrics.storageAvailable.name, legend: "least" }] },
      { title: "Targets", kind: "state-timeline", unit: "bool_yes_no", width: 8, description: "Whether each could be read.", queries: [{ expr: `min by (target) (${metrics.targetUp.name})`, legend: "{{target}}" }], thresholds: atLeast(1) },
    ],
  };
}

function proof(plan: Plan): Row {
  const drill = plan.alerts.find((alert) => alert.kind === "drill-overdue");
  const token = plan.alerts.find((alert) => alert.kind === "token-expiry");
  return {
    title: "Proof",
    panels: [
      { title: "Newest verification", kind: "stat", unit: "bool_yes_no", width: 6, description: "Whether every copy was restored, queried and found good.", queries: [{ expr: `min by (store) (${metrics.verificationOk.name})`, legend: "{{store}}" }], thresholds: atLeast(1) },
      { title: "Since a backup was last found good", kind: "stat", unit: "s", width: 6, description: "By restoring it.", queries: [{ expr: `time() - max by (store) (${metrics.lastVerified.name})`, legend: "{{store}}" }] },
      { title: "Since a drill last passed", kind: "stat", unit: "s", width: 6, description: "By scenario.", queries: [{ expr: `time() - max by (scenario) (${metrics.drillPassed.name})`, legend: "{{scenario}}" }], ...(drill === undefined ? {} : { thresholds: [{ color: "green", value: null }, { color: "red", value: drill.above }] }) },
      { title: "R2 tokens expire in", kind: "stat", unit: "s", width: 3, description: "Make the next one in time.", queries: [{ expr: `min by (token) (${metrics.tokenExpiry.name}) - time()`, legend: "{{token}}" }], ...(token === undefined ? {} : { thresholds: atLeast(token.below) }) },
      { title: "Metrics read", kind: "stat", unit: "s", width: 3, description: "Since the exporter could last read the backends.", queries: [{ expr: `time() - max(${metrics.exporterRead.name})`, legend: "" }] },
    ],
  };
}

/** Each row's title, and its panels from left to right; they wrap at the grid's 24 columns. */
function placed(rows: readonly Row[]): readonly object[] {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels }) => {
    const header = { id: ++id, type: "row", title, collapsed: false, gridPos: { x: 0, y: y++, w: 24, h: 1 }, panels: [] };
    let x = 0;
    const inside = panels.map((panel) => {
      if (x + panel.width > 24) {
        x = 0;
        y += height;
      }
      const at = { x, y, w: panel.width, h: height };
      x += panel.width;
      return { id: ++id, ...rendered(panel), gridPos: at };
    });
    y += height;
    return [header, ...inside];
  });
}

function rendered({ title, description, kind, unit, queries, thresholds = [{ color: "green", value: null }] }: Panel): object {
  const table = kind === "table";
  const datasource = { type: "prometheus", uid: "${datasource}" };
  return {
    type: kind,
    title,
    description,
    datasource,
    targets: queries.map(({ expr, legend }, index) => ({ refId: String.fromCodePoint(65 + index), datasource, expr, legendFormat: legend === "" ? title : legend, ...(table ? { format: "table", instant: true } : {}) })),
    fieldConfig: { defaults: { unit, thresholds: { mode: "absolute", steps: thresholds }, ...(kind === "timeseries" ? { custom: { thresholdsStyle: { mode: "line" } } } : {}) }, overrides: [] },
    options: kind === "stat" ? { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "value", graphMode: "none" } : {},
    // One line per store and scope, with the three figures beside each other.
    ...(table ? { transformations: [{ id: "merge", options: {} }, { id: "organize", options: { excludeByName: { Time: true }, renameByName: Object.fromEntries(queries.map(({ legend }, index) => [`Value #${String.fromCodePoint(65 + index)}`, legend])) } }] } : {}),
  };
}

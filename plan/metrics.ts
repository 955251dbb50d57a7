/**
 * Every metric of the backups: the exporter writes them, the alert rules and the dashboard read them, and none of them
 * knows a name that does not stand here. N1 to N7 are named as the requirements name them; the rest follow
 * Prometheus' conventions (base units in the name, `_total` on counters).
 */
import type { Duration } from "./units.ts";
import { hours, minutes } from "./units.ts";

export type MetricUnit = "seconds" | "bytes" | "timestamp" | "count" | "boolean";

interface MetricBase {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly MetricLabel[];
  /** `timestamp` is seconds since the epoch; `boolean` is 0 or 1. */
  readonly unit: MetricUnit;
  /** Which of the requirements' rows it keeps. */
  readonly keeps: string;
}

export type Metric = MetricBase & (
  | { readonly type: "counter" | "gauge" }
  /** Upper bounds, in the unit. */
  | { readonly type: "histogram"; readonly buckets: readonly Duration[] }
);

/** What a label's values are. */
export const metricLabels = {
  type: "the schedule's name, e.g. postgres-incremental",
  target: "the backend's name, e.g. r2",
  error: "the kind of failure, of `failureKinds`",
  store: "the store's name, e.g. postgres",
  scope: "the failure scope, e.g. region",
  replica: "the server that replicates, by its name",
  scenario: "the drill's scenario",
  token: "the secret that holds it, e.g. r2-writer",
} as const;
export type MetricLabel = keyof typeof metricLabels;

/** Values of the label `error`. Each is exported as 0 before it first happens: `increase()` does not see a series that
 * is born at 1. The kinds are those of the runner's errors. */
export const failureKinds = ["failed", "usage", "partial", "refused", "unavailable", "interrupted"] as const;

const durationBuckets: readonly Duration[] = [minutes(1), minutes(5), minutes(10), minutes(30), hours(1), hours(2)]; // N3

const perStoreAndScope = ["store", "scope"] as const;

export const metrics = {
  backupSuccess: { name: "blackroad_backup_success_total", type: "counter", labels: ["type", "target"], unit: "count", keeps: "N1", help: "Backups whose copy stands in the target" },
  backupFailure: { name: "blackroad_backup_failure_total", type: "counter", labels: ["type", "target", "error"], unit: "count", keeps: "N2", help: "Backups of which the target has no copy, by the kind of the failure" },
  backupDuration: { name: "blackroad_backup_duration_seconds", type: "histogram", buckets: durationBuckets, labels: ["type"], unit: "seconds", keeps: "N3", help: "How long the runs took, from beginning to record" },
  backupSize: { name: "blackroad_backup_size_bytes", type: "gauge", labels: ["type", "target"], unit: "bytes", keeps: "N4", help: "Bytes that the newest backup takes in the target" },
  lastBackup: { name: "blackroad_last_backup_timestamp", type: "gauge", labels: ["type"], unit: "timestamp", keeps: "N5", help: "When the newest backup began of which every target has a good copy, or the newest run of what makes no backup; 0 where there is none" },
  recoveryPointAge: { name: "blackroad_recovery_point_age_seconds", type: "gauge", labels: [], unit: "seconds", keeps: "N6", help: "Data that would be lost if everything live were gone now: the age of the oldest among the newest recoverable states of the critical and important stores" },
  storageAvailable: { name: "blackroad_backup_storage_available_bytes", type: "gauge", labels: [], unit: "bytes", keeps: "N7", help: "Room left in the target that has the least: its quota less what is used" },

  storeRecoveryPointAge: { name: "blackroad_store_recovery_point_age_seconds", type: "gauge", labels: ["store"], unit: "seconds", keeps: "N6", help: "The same of each store" },
  targetStorageAvailable: { name: "blackroad_target_storage_available_bytes", type: "gauge", labels: ["target"], unit: "bytes", keeps: "N7", help: "Room left in each target" },
  targetUp: { name: "blackroad_target_up", type: "gauge", labels: ["target"], unit: "boolean", keeps: "B4", help: "1 where the target could be read" },
  walAge: { name: "blackroad_wal_age_seconds", type: "gauge", labels: ["target"], unit: "seconds", keeps: "S2", help: "Age of the newest WAL segment as it stands in the target's bucket" },
  recoverableWindow: { name: "blackroad_recoverable_window_seconds", type: "gauge", labels: ["store"], unit: "seconds", keeps: "R4", help: "From the oldest to the newest state that the store can be recovered to" },
  replicationLag: { name: "blackroad_postgres_replication_lag_seconds", type: "gauge", labels: ["replica"], unit: "seconds", keeps: "S2", help: "How far a replica's replay is behind, as the leader sees it; exported where the leader is" },
  synchronousStandbys: { name: "blackroad_postgres_synchronous_standbys", type: "gauge", labels: [], unit: "count", keeps: "D1", help: "Standbys that hold each commit before it is acknowledged; exported where the leader is" },
  lastVerified: { name: "blackroad_last_verified_timestamp_seconds", type: "gauge", labels: ["store"], unit: "timestamp", keeps: "V1", help: "When a backup of the store was last restored, queried and found good; 0 where never" },
  verificationOk: { name: "blackroad_verification_ok", type: "gauge", labels: ["store"], unit: "boolean", keeps: "V1", help: "1 where the newest verification of the store found every copy good" },
  promisedRpo: { name: "blackroad_rpo_promised_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "O1", help: "Most data lost after such a failure, as the plan promises or accepts by name" },
  predictedRpo: { name: "blackroad_rpo_predicted_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "O1", help: "Most data lost, as the plan's formulas have it" },
  measuredRpo: { name: "blackroad_rpo_measured_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "V2", help: "Data lost in the newest drill that measured it" },
  promisedRto: { name: "blackroad_rto_promised_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "O2", help: "Time to restore the service, as the plan promises or accepts by name" },
  predictedRto: { name: "blackroad_rto_predicted_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "O2", help: "Time to restore, as the plan's formulas have it with the newest measured rates" },
  measuredRto: { name: "blackroad_rto_measured_seconds", type: "gauge", labels: perStoreAndScope, unit: "seconds", keeps: "V2", help: "Time to restore in the newest drill that measured it" },
  drillPassed: { name: "blackroad_drill_passed_timestamp_seconds", type: "gauge", labels: ["scenario"], unit: "timestamp", keeps: "V2", help: "When a drill of the scenario last passed; 0 where never" },
  tokenExpiry: { name: "blackroad_token_expiry_timestamp_seconds", type: "gauge", labels: ["token"], unit: "timestamp", keeps: "B1", help: "When the newest valid token expires" },
  exporterRead: { name: "blackroad_exporter_read_timestamp_seconds", type: "gauge", labels: [], unit: "timestamp", keeps: "N1", help: "When the catalog and the buckets were last read" },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = (typeof metrics)[keyof typeof metrics]["name"];

/** In the order in which they are exported. */
export const allMetrics: readonly Metric[] = Object.values(metrics);

/** What Prometheus calls the exporter in `up{job="…"}`: the name of its Kubernetes service. */
export const exporterJob = "dr-exporter";
/** Where the exporter listens: the port that OpenTelemetry gives Prometheus exporters by default. */
export const exporterPort = 9464;

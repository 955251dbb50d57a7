/** What stands on the exporter's page at a moment. Pure. */
import { failureKinds, metrics, type Metric, type MetricLabel } from "../../plan/metrics.ts";
import type { Plan, ScheduleName } from "../../plan/types.ts";
import type { CatalogFacts, Figure } from "./facts.ts";
import type { Tally } from "./tally.ts";

/** A backend's bucket as it was last seen. Times in ms since the epoch. */
export interface TargetFacts {
  readonly name: string;
  readonly up: boolean;
  /** Free; absent where nothing says. */
  readonly availableBytes?: number | undefined;
  /** When the newest WAL segment arrived. */
  readonly newestWal?: number | undefined;
}

export interface ReplicationFacts {
  readonly lags: readonly { readonly replica: string; readonly seconds: number }[];
  readonly synchronousStandbys: number;
}

export interface Facts {
  /** Absent before the first look that saw a catalog: counters that began at 0 and then jumped would look like news. */
  readonly catalog?: CatalogFacts;
  /** In the configuration's order. */
  readonly targets: readonly TargetFacts[];
  /** Only where the leader is. */
  readonly replication?: ReplicationFacts | undefined;
  /** By the secret that holds it. */
  readonly tokens: readonly { readonly token: string; readonly expiresAt: number }[];
  /** When everything was last read: each backend's catalog and each repository's log. 0 where never. */
  readonly readAt: number;
}

export interface Sample {
  readonly metric: Metric;
  readonly labels: Readonly<Partial<Record<MetricLabel, string>>>;
  readonly value: number;
}
/** A histogram's series. */
export interface HistogramSample extends Omit<Sample, "value"> {
  readonly count: number;
  readonly sum: number;
  /** Runs within each of the metric's bounds. */
  readonly within: readonly number[];
}
export interface Page {
  readonly samples: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
}

const seconds = (ms: number): number => ms / 1_000;

/** Everything that is known at `now`, in ms; what is not known has no series. */
export function pageOf(plan: Plan, facts: Facts, now: number): Page {
  const { catalog, targets } = facts;
  const age = (at: number): number => Math.max(0, seconds(now - at));
  const gauge = (metric: Metric, value: number | undefined, labels: Sample["labels"] = {}): Sample[] => (value === undefined ? [] : [{ metric, labels, value }]);
  const up = targets.filter((target) => target.up);
  const free = up.flatMap(({ availableBytes }) => availableBytes ?? []);
  const places = [
    ...targets.flatMap(({ name, up: isUp }) => gauge(metrics.targetUp, isUp ? 1 : 0, { target: name })),
    // Of a target that cannot be read nothing is known: what was seen before would look like the present.
    ...up.flatMap(({ name, availableBytes }) => gauge(metrics.targetStorageAvailable, availableBytes, { target: name })),
    ...gauge(metrics.storageAvailable, free.length === 0 ? undefined : Math.min(...free)),
    ...up.flatMap(({ name, newestWal }) => gauge(metrics.walAge, newestWal === undefined ? undefined : age(newestWal), { target: name })),
    ...(facts.replication?.lags ?? []).flatMap(({ replica, seconds: lag }) => gauge(metrics.replicationLag, lag, { replica })),
    ...gauge(metrics.synchronousStandbys, facts.replication?.synchronousStandbys),
    ...facts.tokens.flatMap(({ token, expiresAt }) => gauge(metrics.tokenExpiry, seconds(expiresAt), { token })),
    ...gauge(metrics.exporterRead, seconds(facts.readAt)),
  ];
  if (catalog === undefined) return { samples: places, histograms: [] };
  const reaches = (name: string, reachesTo: number | undefined): number | undefined => (name === "postgres" && reachesTo !== undefined ? Math.max(reachesTo, ...targets.flatMap(({ newestWal }) => newestWal ?? [])) : reachesTo);
  // A store without any backup would lose everything that it has: no figure is great enough.
  const ages = catalog.stores.map((store) => ({ ...store, age: store.reachesTo === undefined ? Infinity : age(reaches(store.name, store.reachesTo) ?? 0) }));
  const promised = new Set(plan.stores.filter(({ category }) => category !== "operational").map(({ name }): string => name));
  const urgent = ages.filter(({ name }) => promised.has(name));
  return {
    samples: [
      ...counters(plan, catalog.tally, targets.map(({ name }) => name)),
      ...catalog.sizes.flatMap(({ type, target, bytes }) => gauge(metrics.backupSize, bytes, { type, target })),
      ...[...catalog.lastBackup].flatMap(([type, at]) => gauge(metrics.lastBackup, seconds(at), { type })),
      ...gauge(metrics.recoveryPointAge, urgent.length === 0 ? undefined : Math.max(...urgent.map((store) => store.age))),
      ...ages.flatMap(({ name, age: value }) => gauge(metrics.storeRecoveryPointAge, value, { store: name })),
      ...ages.flatMap(({ name, reachesFrom, reachesTo }) => gauge(metrics.recoverableWindow, reachesFrom === undefined ? undefined : seconds(Math.max(0, (reaches(name, reachesTo) ?? reachesFrom) - reachesFrom)), { store: name })),
      ...ages.flatMap(({ name, lastVerified }) => gauge(metrics.lastVerified, seconds(lastVerified), { store: name })),
      ...ages.flatMap(({ name, verificationOk }) => gauge(metrics.verificationOk, verificationOk === undefined ? undefined : Number(verificationOk), { store: name })),
      ...figures(catalog),
      ...[...catalog.drillPassed].flatMap(([scenario, at]) => gauge(metrics.drillPassed, seconds(at), { scenario })),
      ...places,
    ],
    histograms: Object.entries(catalog.tally).map(([type, { runs, seconds: sum, within }]) => ({ metric: metrics.backupDuration, labels: { type }, count: runs, sum, within })),
  };
}

/** Each type × target × error is there as 0 before it first happens: `increase()` does not see one that is born at 1. */
function counters(plan: Plan, tally: Tally, targets: readonly string[]): Sample[] {
  const types = plan.schedules.filter(({ writes }) => writes !== "nothing").map(({ name }): ScheduleName => name);
  return types.flatMap((type) => {
    const { succeeded = {}, failed = {} } = tally[type] ?? {};
    const all = [...new Set([...(type === "archive" ? plan.backends.filter(({ role }) => role === "archive").map(({ name }) => name) : targets), ...Object.keys(succeeded), ...Object.keys(failed)])];
    return all.flatMap((target): Sample[] => [
      { metric: metrics.backupSuccess, labels: { type, target }, value: succeeded[target] ?? 0 },
      ...failureKinds.map((error): Sample => ({ metric: metrics.backupFailure, labels: { type, target, error }, value: failed[target]?.[error] ?? 0 })),
    ]);
  });
}

const figureMetrics = {
  promised: [metrics.promisedRpo, metrics.promisedRto],
  predicted: [metrics.predictedRpo, metrics.predictedRto],
  measured: [metrics.measuredRpo, metrics.measuredRto],
} as const;

function figures(catalog: CatalogFacts): Sample[] {
  return (["promised", "predicted", "measured"] as const).flatMap((which) => {
    const [ofRpo, ofRto] = figureMetrics[which];
    return catalog[which].flatMap(({ store, scope, rpo, rto }: Figure): Sample[] => [
      ...(rpo === undefined ? [] : [{ metric: ofRpo, labels: { store, scope }, value: rpo }]),
      ...(rto === undefined ? [] : [{ metric: ofRto, labels: { store, scope }, value: rto }]),
    ]);
  });
}

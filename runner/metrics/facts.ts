/** What the exporter keeps of one look at the catalog and the buckets. Ages are reckoned when somebody asks. Pure. */
import { assess } from "../../plan/assess.ts";
import { scheduleOf } from "../../plan/find.ts";
import type { Plan, ScheduleName } from "../../plan/types.ts";
import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import { drillIn, type RecordedDrill } from "../drill-record.ts";
import { newestExpiry } from "../retention/record.ts";
import { expectedBackups, fulfils, storeAndKind, type ExpectedBackup } from "../status/expected.ts";
import { ratesFromRecords } from "../verification-rates.ts";
import { verificationIn } from "../verification-record.ts";
import { archiveStore, tallyOf, typeOf, type Tally } from "./tally.ts";

/** Times are in ms since the epoch. */
export interface StoreFacts {
  readonly name: string;
  /** How far the newest good backup reaches; absent where there is none. PostgreSQL's log is not looked at. */
  readonly reachesTo?: number;
  /** What a recovery could begin with, at the earliest. */
  readonly reachesFrom?: number;
  readonly lastVerified: number;
  readonly verificationOk?: boolean;
}

export interface Figure {
  readonly store: string;
  readonly scope: string;
  readonly rpo?: number | undefined;
  readonly rto?: number | undefined;
}

export interface CatalogFacts {
  readonly tally: Tally;
  /** Of each type that this system runs, the newest complete backup's beginning; 0 where there is none. */
  readonly lastBackup: ReadonlyMap<ScheduleName, number>;
  readonly sizes: readonly { readonly type: string; readonly target: string; readonly bytes: number }[];
  readonly stores: readonly StoreFacts[];
  readonly promised: readonly Figure[];
  readonly predicted: readonly Figure[];
  readonly measured: readonly Figure[];
  /** By scenario; 0 where none has passed yet. */
  readonly drillPassed: ReadonlyMap<string, number>;
}

/** Records in the order of their ids; `configured`: stores that this system runs although nothing was backed up yet. */
export function catalogFacts(plan: Plan, records: readonly BackupRecord[], configured: readonly string[]): CatalogFacts {
  const present = new Set([...configured, ...records.map(({ store }) => store)]);
  const expected = expectedBackups(plan, present);
  const expiry = newestExpiry(records);
  const gone = new Set(expiry?.removed);
  const drills = records.flatMap((record) => {
    const drill = drillIn(record);
    return drill === undefined ? [] : [{ drill, at: Date.parse(record.finishedAt) }];
  });
  const { cells } = assess(plan, { rates: ratesFromRecords(records, plan.rates) });
  return {
    tally: tallyOf(plan, records.filter(({ id }) => !gone.has(id)), expiry?.counted),
    lastBackup: lastBackups(plan, records, expected, present),
    sizes: sizesOf(plan, records),
    stores: plan.stores.filter(({ name }) => present.has(name)).map(({ name }) => storeFacts(name, records, expected)),
    promised: cells.map(({ store, scope, rpo, rto }) => ({ store, scope, rpo: rpo.accepted?.upTo ?? rpo.objective, rto: rto.accepted?.upTo ?? rto.objective })),
    predicted: cells.map(({ store, scope, rpo, rto }) => ({ store, scope, rpo: rpo.predicted, rto: rto.predicted })),
    measured: measuredIn(drills.map(({ drill }) => drill)),
    drillPassed: passedOf(drills),
  };
}

const startOf = ({ startedAt }: BackupRecord): number => Date.parse(startedAt);

function lastBackups(plan: Plan, records: readonly BackupRecord[], expected: readonly ExpectedBackup[], present: ReadonlySet<string>): Map<ScheduleName, number> {
  const newest = (passes: (record: BackupRecord) => boolean): number => records.reduce((found, record) => (passes(record) ? Math.max(found, startOf(record)) : found), 0);
  const complete = (record: BackupRecord): boolean => outcomeOf(record) === "ok";
  const last = new Map(expected.map((one) => [one.schedule, newest((record) => complete(record) && fulfils(record, one))]));
  if (scheduleOf(plan, "archive") !== undefined && present.has(archiveStore)) last.set("archive", newest((record) => complete(record) && record.store === archiveStore));
  if (scheduleOf(plan, "verify") !== undefined) last.set("verify", newest((record) => verificationIn(record) !== undefined));
  return last;
}

/** Of the newest backup of each type that a target took. */
function sizesOf(plan: Plan, records: readonly BackupRecord[]): CatalogFacts["sizes"] {
  const sizes = new Map<string, { type: string; target: string; bytes: number }>();
  for (const record of records) {
    const type = typeOf(plan, record);
    if (type === undefined) continue;
    for (const copy of record.copies) if (copy.status === "ok") sizes.set(`${type} ${copy.backend}`, { type, target: copy.backend, bytes: copy.bytes });
  }
  return [...sizes.values()];
}

function storeFacts(name: string, records: readonly BackupRecord[], expected: readonly ExpectedBackup[]): StoreFacts {
  const mine = records.filter(({ store }) => store === name);
  const good = mine.filter((record) => outcomeOf(record) !== "failed" && expected.some((one) => fulfils(record, one)));
  const marks = (list: readonly BackupRecord[]) => list.map(({ watermark }) => Date.parse(watermark.time));
  // PostgreSQL's log is replayed on a full backup; any other store's window is a row of points.
  const bases = name === "postgres" ? good.filter(({ kind }) => kind === storeAndKind("postgres-full")?.kind) : good;
  const verifications = mine.flatMap((record) => verificationIn(record) === undefined ? [] : [{ at: Date.parse(record.finishedAt), ok: verificationIn(record)?.ok === true }]);
  const newest = verifications.at(-1);
  return {
    name,
    ...(good.length === 0 ? {} : { reachesTo: marks(good).reduce((a, b) => Math.max(a, b)) }),
    ...(bases.length === 0 ? {} : { reachesFrom: marks(bases).reduce((a, b) => Math.min(a, b)) }),
    lastVerified: verifications.findLast(({ ok }) => ok)?.at ?? 0,
    ...(newest === undefined ? {} : { verificationOk: newest.ok }),
  };
}

/** Each figure from the newest drill that measured it. */
function measuredIn(drills: readonly RecordedDrill[]): Figure[] {
  const figures = new Map<string, Figure>();
  for (const { store, scope, rpo, rto } of drills.flatMap(({ objectives }) => objectives)) {
    const before = figures.get(`${store} ${scope}`);
    figures.set(`${store} ${scope}`, { store, scope, rpo: rpo.measured ?? before?.rpo, rto: rto.measured ?? before?.rto });
  }
  return [...figures.values()];
}

/** What is counted as never having passed where no drill was recorded at all: without a series no alert could fire. */
export const noDrill = "none";

function passedOf(drills: readonly { readonly drill: RecordedDrill; readonly at: number }[]): Map<string, number> {
  if (drills.length === 0) return new Map([[noDrill, 0]]);
  const passed = new Map<string, number>();
  for (const { drill, at } of drills) passed.set(drill.scenario, Math.max(passed.get(drill.scenario) ?? 0, drill.passed ? at : 0));
  return passed;
}

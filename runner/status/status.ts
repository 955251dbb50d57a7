import { scheduleOf } from "../../plan/find.ts";
import { intervalOf } from "../../plan/schedule.ts";
import type { Plan } from "../../plan/types.ts";
import type { CatalogListing, CatalogProblem } from "../catalog/catalog.ts";
import { outcomeOf, type BackupRecord, type CopyOk } from "../catalog/record.ts";
import { verificationIn, verificationKind } from "../verification-record.ts";
import { alarmsOf } from "./alarms.ts";
import type { Replication } from "./replication.ts";
import { expectedBackups, fulfils, type ExpectedBackup } from "./expected.ts";

export interface BackendState {
  readonly name: string;
  /** Why it cannot be used; absent where it can. */
  readonly error?: string;
  /** Absent where nothing says it. */
  readonly availableBytes?: number;
}

/** The newest WAL segment as it stands in a backend's repository. */
export interface WalState {
  readonly backend: string;
  readonly newest?: { readonly segment: string; readonly at: string };
  readonly error?: string;
}

export interface StatusInput {
  readonly plan: Plan;
  readonly now: Date;
  readonly listing: CatalogListing;
  readonly backends: readonly BackendState[];
  readonly wal: readonly WalState[];
  readonly replication?: Replication;
  /** The stores that this configuration runs; what others left in the catalog is shown as well. */
  readonly stores: readonly string[];
}

export interface CopyStatus {
  readonly backend: string;
  /** The newest good copy here; absent where there is none. */
  readonly newest?: { readonly backup: string; readonly ageSeconds: number; readonly bytes: number };
  readonly state: "ok" | "overdue" | "missing";
}

export interface BackupStatus {
  readonly store: string;
  readonly kind: string;
  readonly intervalSeconds: number;
  readonly overdueAfterSeconds: number;
  /** The newest run, whatever came of it. */
  readonly lastRun?: { readonly backup: string; readonly ageSeconds: number; readonly outcome: "ok" | "partial" | "failed"; readonly errors: readonly string[] };
  readonly copies: readonly CopyStatus[];
  readonly state: "ok" | "partial" | "overdue" | "missing";
}

export interface WalStatus extends WalState {
  readonly ageSeconds?: number;
  /** `late` past what the archiver promises, `overdue` past the alert on the recovery point. */
  readonly state: "ok" | "late" | "overdue" | "missing";
}

export interface WindowStatus {
  readonly store: string;
  readonly oldest: string;
  readonly newest: string;
  readonly seconds: number;
  /** What the plan asks for; a young system has not got there yet. */
  readonly objectiveSeconds: number;
}

export interface VerificationStatus {
  readonly store: string;
  readonly backup: string;
  readonly ageSeconds: number;
  readonly ok: boolean;
  readonly overdue: boolean;
}

export interface Status {
  readonly at: string;
  readonly ok: boolean;
  readonly reachable: boolean;
  readonly backups: readonly BackupStatus[];
  readonly windows: readonly WindowStatus[];
  readonly wal: readonly WalStatus[];
  /** Absent where this run has no PostgreSQL of its own. */
  readonly replication?: Replication & { readonly boundSeconds: number };
  readonly backends: readonly (BackendState & { readonly low: boolean })[];
  readonly verifications: readonly VerificationStatus[];
  readonly problems: readonly CatalogProblem[];
  /** What a person must look at now; empty where `ok`. */
  readonly alarms: readonly string[];
}

export type StatusParts = Omit<Status, "at" | "ok" | "reachable" | "alarms">;

/** What the catalog, the buckets and the plan together say at `now`. */
export function statusOf(input: StatusInput): Status {
  const { plan, now, listing } = input;
  const backups = listing.records.filter((record) => record.kind !== verificationKind);
  const stores = new Set([...input.stores, ...backups.map(({ store }) => store)]);
  const reachable = input.backends.some(({ error }) => error === undefined);
  const parts: StatusParts = {
    // Where nothing can be read, nothing is known of any backup: that is not the same as having none.
    backups: (reachable ? expectedBackups(plan, stores) : []).map((expected) => backupStatus(expected, backups, input)),
    windows: [...stores].flatMap((store) => windowOf(store, backups, input) ?? []),
    wal: input.wal.map((wal) => walStatus(wal, input)),
    ...(input.replication === undefined ? {} : { replication: { ...input.replication, boundSeconds: plan.system.replicationLag } }),
    backends: input.backends.map((backend) => ({ ...backend, low: isLow(backend, plan) })),
    verifications: [...stores].flatMap((store) => verificationStatus(store, listing.records, plan, now) ?? []),
    problems: listing.problems,
  };
  const alarms = alarmsOf(parts);
  return { at: now.toISOString(), ok: alarms.length === 0, reachable, ...parts, alarms };
}

const ageOf = (now: Date, time: string): number => Math.max(0, (now.getTime() - Date.parse(time)) / 1_000);

/** Records are in the order of their ids, i.e. of time. */
function backupStatus(expected: ExpectedBackup, records: readonly BackupRecord[], { now, backends }: StatusInput): BackupStatus {
  const mine = records.filter((record) => fulfils(record, expected));
  const last = mine.findLast((record) => record.kind === expected.kind);
  // Names that the plan does not know are a drill's or a test's: nothing is left out of them.
  const named = backends.filter(({ name }) => expected.backends === undefined || expected.backends.includes(name));
  const copies = (named.length === 0 ? backends : named).map(({ name }) => copyStatus(name, mine, expected, now));
  const good = copies.filter(({ state }) => state === "ok").length;
  const state = good === copies.length ? "ok" : good > 0 ? "partial" : copies.some(({ state: copy }) => copy === "overdue") ? "overdue" : "missing";
  const { store, kind, intervalSeconds, overdueAfterSeconds } = expected;
  return {
    store, kind, intervalSeconds, overdueAfterSeconds, copies, state,
    ...(last === undefined ? {} : { lastRun: { backup: last.id, ageSeconds: ageOf(now, last.startedAt), outcome: outcomeOf(last), errors: last.copies.flatMap((copy) => (copy.status === "failed" ? [`${copy.backend}: ${copy.error}`] : [])) } }),
  };
}

function copyStatus(backend: string, records: readonly BackupRecord[], expected: ExpectedBackup, now: Date): CopyStatus {
  const copyIn = (record: BackupRecord) => record.copies.find((copy): copy is CopyOk => copy.backend === backend && copy.status === "ok");
  const newest = records.findLast((record) => copyIn(record) !== undefined);
  if (newest === undefined) return { backend, state: "missing" };
  const ageSeconds = ageOf(now, newest.startedAt);
  return { backend, newest: { backup: newest.id, ageSeconds, bytes: copyIn(newest)?.bytes ?? 0 }, state: ageSeconds > expected.overdueAfterSeconds ? "overdue" : "ok" };
}

/**
 * From the oldest backup that a recovery could begin with to the newest data in any backend. PostgreSQL's reaches to
 * its newest archived WAL and begins with a full backup; any other store's is a row of points.
 */
function windowOf(store: string, records: readonly BackupRecord[], { plan, wal }: StatusInput): WindowStatus | undefined {
  // Restore points, recovery points and the like hold no data that a recovery could begin with.
  const scheduled = expectedBackups(plan, new Set([store]));
  const good = records.filter((record) => outcomeOf(record) !== "failed" && scheduled.some((expected) => fulfils(record, expected)));
  const bases = store === "postgres" ? good.filter(({ kind }) => kind === "full") : good;
  const oldest = bases.map(({ watermark }) => watermark.time).sort()[0];
  if (oldest === undefined) return undefined;
  const ends = [...good.map(({ watermark }) => watermark.time), ...(store === "postgres" ? wal.flatMap(({ newest }) => newest?.at ?? []) : [])];
  const newest = ends.map((time) => new Date(time).toISOString()).sort().at(-1) ?? oldest;
  return { store, oldest, newest, seconds: ageOf(new Date(newest), oldest), objectiveSeconds: plan.recovery.window };
}

/** The least threshold on the age of the recovery point: the one that warns. */
function recoveryPointThreshold(plan: Plan): number {
  return Math.min(plan.system.rpo, ...plan.alerts.flatMap((alert) => (alert.kind === "recovery-point-age" ? [alert.above] : [])));
}

function walStatus(wal: WalState, { plan, now, backends }: StatusInput): WalStatus {
  if (wal.newest === undefined) return { ...wal, state: "missing" };
  const ageSeconds = ageOf(now, wal.newest.at);
  const { archiveTimeout, pushBound, pushBoundDegraded } = plan.postgres;
  const promised = archiveTimeout + (backends.some(({ error }) => error !== undefined) ? pushBoundDegraded : pushBound);
  const overdue = Math.max(promised, recoveryPointThreshold(plan));
  return { ...wal, ageSeconds, state: ageSeconds > overdue ? "overdue" : ageSeconds > promised ? "late" : "ok" };
}

function isLow({ availableBytes }: BackendState, plan: Plan): boolean {
  return availableBytes !== undefined && plan.alerts.some((alert) => alert.kind === "storage-available" && availableBytes < alert.below);
}

function verificationStatus(store: string, records: readonly BackupRecord[], plan: Plan, now: Date): VerificationStatus | undefined {
  const newest = records.findLast((record) => record.store === store && record.kind === verificationKind);
  const found = newest === undefined ? undefined : verificationIn(newest);
  if (newest === undefined || found === undefined) return undefined;
  const schedule = scheduleOf(plan, "verify");
  const ageSeconds = ageOf(now, newest.startedAt);
  return { store, backup: found.backup, ageSeconds, ok: found.ok, overdue: schedule !== undefined && ageSeconds > intervalOf(schedule) + schedule.deadline };
}

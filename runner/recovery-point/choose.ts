/** Which recovery point a recovery of the whole system takes, and which backup of each store otherwise. Pure. */
import type { BackupRecord } from "../catalog/record.ts";
import { outcomeOf } from "../catalog/record.ts";
import { DrError } from "../errors.ts";
import { restorePointKind } from "../stores/postgres/details.ts";
import { verificationKind } from "../verification-record.ts";
import { isSaved, lacksIn, madePoint, readRecoveryPoint, recoveryPointKind, type RecoveryPoint } from "./record.ts";
import { consistencyOf, type PointConsistency } from "./consistency.ts";

export interface PointQuery {
  readonly now: Date;
  /** Nothing committed later is wanted. Default: the newest. */
  readonly at?: Date;
  /** Complete in this one. Default: in any. */
  readonly backend?: string;
}

export interface ChosenPoint {
  readonly record: BackupRecord;
  readonly point: RecoveryPoint;
  /** To which time PostgreSQL is recovered; where there is none, the latest of the parts' watermarks. */
  readonly time: Date;
  /** Where it is complete; never empty. */
  readonly backends: readonly string[];
  readonly consistency: PointConsistency;
  /** What a person should know of it: parts that have expired and can be done without. */
  readonly notes: readonly string[];
}

interface Judged extends ChosenPoint {
  /** Why it cannot be used; empty where it can. */
  readonly faults: readonly string[];
}

/**
 * The newest recovery point that is complete, consistent and not expired.
 * @throws DrError `No backup available before target time` where there is none, with what is wrong with the nearest.
 */
export function chooseRecoveryPoint(records: readonly BackupRecord[], query: PointQuery): ChosenPoint {
  const { at, backend, now } = query;
  if (at !== undefined && at > now) throw new DrError({ kind: "usage", what: `the target time ${at.toISOString()} is in the future: it is ${now.toISOString()} now`, where: "--at", todo: "Name a past time, or leave it out." });
  const all = judgeAll(records, query);
  const early = all.filter(({ time }) => at === undefined || time <= at);
  const found = early.findLast(({ faults }) => faults.length === 0);
  if (found !== undefined) return chosen(found);
  const nearest = early.at(-1);
  const oldest = all.find(({ faults }) => faults.length === 0);
  const why = nearest === undefined ? "there is no recovery point" : `the nearest, ${nearest.record.id}, cannot be used: ${nearest.faults.join("; ")}`;
  throw new DrError({
    kind: "failed",
    what: `${at === undefined ? "No complete recovery point" : `No backup available before target time ${at.toISOString()}`}: ${why}`,
    where: backend === undefined ? "catalog" : `backend ${backend}`,
    todo: oldest === undefined ? "Make one with `dr backup all`, or take the newest backup of each store." : `The oldest that can be used reaches to ${oldest.time.toISOString()} (${oldest.record.id}); name a later time, or take the newest backup of each store.`,
  });
}

/** Every recovery point that can be used, oldest first. */
export const usablePoints = (records: readonly BackupRecord[], query: PointQuery): ChosenPoint[] =>
  judgeAll(records, query).filter(({ time, faults }) => faults.length === 0 && (query.at === undefined || time <= query.at)).map(chosen);

const chosen = ({ record, point, time, backends, consistency, notes }: Judged): ChosenPoint => ({ record, point, time, backends, consistency, notes });

const judgeAll = (records: readonly BackupRecord[], query: PointQuery): Judged[] =>
  records.flatMap((record) => judge(record, query) ?? []).sort((a, b) => a.time.getTime() - b.time.getTime() || (a.record.id < b.record.id ? -1 : 1));

function judge(record: BackupRecord, { now, backend }: PointQuery): Judged | undefined {
  const point = readRecoveryPoint(record);
  if (point === undefined) return undefined;
  const complete = record.copies.flatMap((copy) => (copy.status === "ok" && lacksIn(point, copy.backend).length === 0 ? [copy.backend] : []));
  const backends = backend === undefined ? complete : complete.filter((name) => name === backend);
  const consistency = consistencyOf(point);
  const gone = expiredParts(point, now);
  const faults = [
    ...(backends.length > 0 ? [] : lackingIn(record, backend)),
    ...consistency.errors,
    ...(isPast(record.expiresAt, now) ? ["it has expired"] : []),
    ...gone.filter(({ needed }) => needed).map(({ what }) => what),
  ];
  return { record, point, time: timeOf(record, point), backends, consistency, faults, notes: gone.filter(({ needed }) => !needed).map(({ what }) => what) };
}

/** Why it is complete nowhere, or not in the one backend that is asked for. */
function lackingIn(record: BackupRecord, backend: string | undefined): string[] {
  const copies = record.copies.filter((copy) => backend === undefined || copy.backend === backend);
  if (copies.length === 0) return [backend === undefined ? "no backend was to hold all of it" : `${backend} was not to hold it`];
  return copies.map((copy) => `${copy.backend} ${copy.status === "failed" ? `lacks ${copy.error}` : "lacks a part"}`);
}

const isPast = (expiresAt: string | null, now: Date): boolean => expiresAt !== null && Date.parse(expiresAt) <= now.getTime();

function expiredParts(point: RecoveryPoint, now: Date): { readonly what: string; readonly needed: boolean }[] {
  const parts = point.parts.filter(isSaved).filter(({ expiresAt }) => isPast(expiresAt, now)).map(({ store, needed, backup, expiresAt }) => ({ what: `${store}: ${backup} expired at ${expiresAt ?? ""}`, needed }));
  const made = madePoint(point);
  if (made === undefined || !isPast(made.expiresAt, now)) return parts;
  return [...parts, { what: `restore point: the WAL that leads to it is kept until ${made.expiresAt} only`, needed: true }];
}

function timeOf(record: BackupRecord, point: RecoveryPoint): Date {
  const made = madePoint(point);
  if (made !== undefined) return new Date(made.time);
  const times = point.parts.filter(isSaved).map(({ watermark }) => Date.parse(watermark.time));
  return new Date(times.length === 0 ? Date.parse(record.watermark.time) : Math.max(...times));
}

/** Kinds of records that hold no backup of a store, or one that nobody restores unasked. */
const noBackup: ReadonlySet<string> = new Set([verificationKind, restorePointKind, recoveryPointKind, "before-recovery"]);

/** The newest good backup of each store that reaches no further than `at`, whatever run it is from. */
export function newestPerStore(records: readonly BackupRecord[], { now, at, backend }: PointQuery): ReadonlyMap<string, BackupRecord> {
  const usable = records.filter((record) => {
    if (noBackup.has(record.kind) || isPast(record.expiresAt, now) || outcomeOf(record) === "failed") return false;
    if (record.details["scope"] === "some") return false; // a checkpoint of some agents is not one of the store
    if (at !== undefined && Date.parse(record.watermark.time) > at.getTime()) return false;
    return backend === undefined || record.copies.some((copy) => copy.backend === backend && copy.status === "ok");
  });
  const newest = new Map<string, BackupRecord>();
  for (const record of usable) {
    const other = newest.get(record.store);
    if (other === undefined || isNewer(record, other)) newest.set(record.store, record);
  }
  return newest;
}

/** By how far its data reaches; of equals, the one that began later. */
function isNewer(a: BackupRecord, b: BackupRecord): boolean {
  const [left, right] = [Date.parse(a.watermark.time), Date.parse(b.watermark.time)];
  return left === right ? a.id > b.id : left > right;
}

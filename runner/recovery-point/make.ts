/** Backs up the whole system and joins the backups into one recovery point. */
import { expiryOf, recordFailure, refuseReadOnly } from "../backup-record.ts";
import type { CatalogFailure } from "../catalog/catalog.ts";
import { keyOf } from "../catalog/ids.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult, type Watermark } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { isLeader, queryValue, withPostgres } from "../stores/postgres/connection.ts";
import { createRestorePoint } from "../stores/postgres/restore-point.ts";
import { timelineOf } from "../stores/postgres/lsn.ts";
import { besideNow } from "./beside.ts";
import { consistencyOf, type PointConsistency } from "./consistency.ts";
import { hasPostgres, parts as allParts, postgresBackends, type Part } from "./parts.ts";
import { isSaved, lacksIn, madePoint, recoveryPointKind, systemStore, type PartResult, type Position, type RecoveryPoint } from "./record.ts";

/** What the daily run is called in the plan: its retention and its deadline are the recovery point's. */
const schedule = "postgres-full";

export interface SystemBackup {
  /** `ok`: a complete recovery point in every backend; `partial`: in some; `failed`: in none, though parts may stand. */
  readonly outcome: "ok" | "partial" | "failed";
  readonly record: BackupRecord;
  readonly point: RecoveryPoint;
  readonly consistency: PointConsistency;
  /** Backends that did not take the record of the recovery point. */
  readonly notRecorded: readonly CatalogFailure[];
}

export type SystemBackupResult =
  | SystemBackup
  /** Nothing was to be done here; no failure. */
  | { readonly outcome: "skipped"; readonly why: string };

/** A backup that was made, with its record. */
interface Made {
  readonly result: PartResult;
  readonly record?: BackupRecord;
  /** Why nothing was to be done here. */
  readonly skipped?: string;
}

/**
 * Makes every configured store's backup, then the restore point, and records how they belong together. A part that
 * fails does not stop the others. Skipped where PostgreSQL is a replica (or without PostgreSQL, where every store has
 * its leader elsewhere): the system is backed up where the leader is.
 * `list` is for tests and for stores of one's own.
 * @throws DrError where nothing is configured, the run may only read, or it was interrupted; never for a failed part.
 */
export async function backUpAll(context: RunContext, list: readonly Part[] = allParts): Promise<SystemBackupResult> {
  refuseReadOnly(context, "back up the system");
  const parts = list.filter((part) => part.configured(context));
  if (parts.length === 0) throw new DrError({ kind: "usage", what: "the configuration names no store, so there is nothing to back up", where: "the configuration", todo: "Add `postgres`, `redis` or both." });
  const attempt = { id: context.catalog.newId(systemStore, recoveryPointKind), store: systemStore, kind: recoveryPointKind, schedule, startedAt: context.clock.now() } as const;
  if (await isElsewhere(context)) return { outcome: "skipped", why: "this PostgreSQL is a replica: the system is backed up where the leader is" };
  try {
    return await makeAndRecord(context, parts, attempt);
  } catch (error) {
    context.signal.throwIfAborted();
    await recordFailure(context, attempt, error);
    throw error;
  }
}

/** Whether the leader is on another host. A server that does not answer is no reason to leave the other stores out. */
async function isElsewhere(context: RunContext): Promise<boolean> {
  if (!hasPostgres(context)) return false;
  try {
    return !(await withPostgres(context, isLeader));
  } catch (error) {
    context.report({ step: `PostgreSQL cannot be asked whether it is the leader: ${messageOf(error)}` });
    return false;
  }
}

interface Attempt {
  readonly id: string;
  readonly startedAt: Date;
}

async function makeAndRecord(context: RunContext, parts: readonly Part[], attempt: Attempt): Promise<SystemBackupResult> {
  const total = parts.length + (hasPostgres(context) ? 1 : 0);
  const made: Made[] = [];
  const make = async (orders: readonly Part["order"][], done: number) => {
    for (const part of parts.filter(({ order }) => orders.includes(order))) {
      context.report({ step: `${made.length + done + 1} of ${total}: ${part.step}` });
      made.push(await makePart(context, part));
    }
  };
  await make(["base", "before"], 0);
  if (hasPostgres(context)) context.report({ step: `${made.length + 1} of ${total}: restore point in PostgreSQL's log` });
  const restorePoint = hasPostgres(context) ? await makeRestorePoint(context, attempt) : null;
  await make(["after"], restorePoint === null ? 0 : 1);
  const skipped = made.flatMap(({ result, skipped: why }) => (why === undefined ? [] : [`${result.store}: ${why}`]));
  if (skipped.length === made.length && restorePoint === null) return { outcome: "skipped", why: skipped.join("; ") };
  const point: RecoveryPoint = { parts: made.map(({ result }) => result), restorePoint, beside: await besideNow(context) };
  const consistency = consistencyOf(point);
  const record = recordOf(context, attempt, parts, made, point, consistency);
  const notRecorded = await write(context, record);
  const outcome = outcomeOf(record);
  return { outcome: outcome === "ok" && notRecorded.length > 0 ? "partial" : outcome, record, point, consistency, notRecorded };
}

async function makePart(context: RunContext, part: Part): Promise<Made> {
  const { store, order, needed } = part;
  const failed = (error: string): Made => {
    context.report({ step: `${store} failed: ${error}` });
    return { result: { store, order, needed, status: "failed", error } };
  };
  try {
    const before = await positionNow(context);
    const record = await part.backUp(context);
    context.signal.throwIfAborted();
    if ("skipped" in record) return { ...failed(`was skipped: ${record.skipped}`), skipped: record.skipped };
    const after = await positionNow(context);
    return {
      record,
      result: {
        store, order, needed, status: "saved", backup: record.id, finishedAt: record.finishedAt, expiresAt: record.expiresAt,
        watermark: { time: record.watermark.time, lsn: order === "base" ? (record.watermark.lsn ?? null) : null },
        notAfter: before === undefined || after === undefined ? null : { lsn: after.lsn, timeline: before.timeline },
        places: record.copies.map((copy) => ({ backend: copy.backend, error: copy.status === "failed" ? copy.error : null })),
      },
    };
  } catch (error) {
    context.signal.throwIfAborted();
    return failed(messageOf(error));
  }
}

/** Where PostgreSQL's log ends now: whatever another store has seen of PostgreSQL is before it. */
async function positionNow(context: RunContext): Promise<Position | undefined> {
  if (!hasPostgres(context)) return undefined;
  try {
    return await withPostgres(context, async (client) => {
      const lsn = await queryValue(client, "SELECT pg_current_wal_insert_lsn()::text");
      return { lsn, timeline: timelineOf(await queryValue(client, "SELECT pg_walfile_name($1::pg_lsn)", [lsn])) };
    });
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `PostgreSQL's position is not known: ${messageOf(error)}` });
    return undefined;
  }
}

/** Its name is the recovery point's id: whoever has the one finds the other. */
async function makeRestorePoint(context: RunContext, { id, startedAt }: Attempt): Promise<RecoveryPoint["restorePoint"]> {
  try {
    const { name, lsn, time, timeline, segment, record, repositories } = await createRestorePoint(context, id);
    const expiresAt = new Date(startedAt.getTime() + context.plan.recovery.walRetention * 1_000).toISOString();
    const places = repositories.map(({ repository, error }) => ({ backend: repository, error: error ?? null }));
    return { status: "made", name, lsn, time, timeline, segment, record, expiresAt, places };
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `the restore point failed: ${messageOf(error)}` });
    return { status: "failed", error: messageOf(error) };
  }
}

function recordOf(context: RunContext, { id, startedAt }: Attempt, parts: readonly Part[], made: readonly Made[], point: RecoveryPoint, consistency: PointConsistency): BackupRecord {
  const needed = made.flatMap(({ record, result }) => (record === undefined || !result.needed ? [] : [record]));
  return {
    version: recordVersion, id, store: systemStore, kind: recoveryPointKind,
    startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: watermarkOf(point, startedAt),
    sourceBytes: needed.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0),
    // It holds no data itself: each part's record says how that is encrypted.
    objects: [], encryption: "none", tools: {},
    copies: placesOf(context, parts).map((backend) => copyIn(context, backend, id, made, point, consistency)),
    expiresAt: expiryOf(context.plan, schedule, startedAt),
    details: { recoveryPoint: point },
  };
}

/** Everything that was committed at this time is in each of the parts; PostgreSQL reaches to the LSN. */
function watermarkOf(point: RecoveryPoint, startedAt: Date): Watermark {
  const made = madePoint(point);
  // PostgreSQL reaches beyond its backup, to the restore point.
  const times = point.parts.filter(isSaved).map(({ order, watermark }) => (order === "base" && made !== undefined ? made.time : watermark.time));
  const time = times.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? startedAt.toISOString();
  return made === undefined ? { time } : { time, lsn: made.lsn, timeline: made.timeline };
}

/** The backends that are to hold every part: one without pgBackRest's repository holds none of PostgreSQL. */
function placesOf(context: RunContext, parts: readonly Part[]): string[] {
  const holds = [...parts.filter(({ needed }) => needed).map((part) => part.backends(context)), ...(hasPostgres(context) ? [postgresBackends(context)] : [])];
  return context.backends.map(({ name }) => name).filter((name) => holds.every((names) => names.includes(name)));
}

function copyIn(context: RunContext, backend: string, id: string, made: readonly Made[], point: RecoveryPoint, { errors }: PointConsistency): CopyResult {
  const lacks = [...lacksIn(point, backend), ...errors];
  if (lacks.length > 0) return { backend, status: "failed", error: lacks.join("; ") };
  const copies = made.flatMap(({ record }) => record?.copies ?? []).filter((copy) => copy.backend === backend);
  const sum = (of: "bytes" | "seconds") => copies.reduce((total, copy) => total + (copy.status === "ok" ? copy[of] : 0), 0);
  const uri = context.backends.find(({ name }) => name === backend)?.uri(keyOf(systemStore, id)) ?? backend;
  return { backend, status: "ok", uri, bytes: sum("bytes"), seconds: sum("seconds") };
}

/** Who did not take the record. Where nobody did there is still a result to be told. */
async function write({ catalog, backends }: RunContext, record: BackupRecord): Promise<readonly CatalogFailure[]> {
  try {
    return (await catalog.write(record)).failed;
  } catch (error) {
    if (outcomeOf(record) !== "failed") throw error;
    return backends.map(({ name }) => ({ backend: name, error: messageOf(error) }));
  }
}

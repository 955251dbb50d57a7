import { scheduleOf } from "../../../plan/find.ts";
import { deadlineOf, expiryOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult, type StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import type { ObjectBucket } from "./bucket.ts";
import type { Entry } from "./entry.ts";
import { openIndex, writeBase, type IndexState } from "./index.ts";
import type { IndexTotals } from "./index-file.ts";
import { folders, placeOf } from "./keys.ts";
import { alone } from "./lock.ts";
import { kind, objectsBackend, objectsOf, objectsSchedule, openSource, openTarget, store, targetConfig } from "./source-and-target.ts";
import { syncObjects, type SyncResult } from "./sync.ts";

export interface ObjectsBackupOptions {
  /** Look at the copy too, and copy again what somebody removed from it. Done once a day in any case. */
  readonly full?: boolean;
  /** Seconds that the run may take; a first copying takes longer than the plan's deadline. Default: the plan's. */
  readonly within?: number;
}

export interface ObjectsBackup {
  readonly record: BackupRecord;
  readonly outcome: "ok" | "partial";
}

/** A base of the index is written so often: a day's changes are merged quickly, and 90 bases are little. In seconds, and runs. */
const baseEvery = { seconds: 24 * 3_600, runs: 100 } as const;
/** Of the time that a run has, how much may pass until no further batch is begun. */
const beginWithin = 0.7;
const endWithin = 0.9;

/**
 * Brings the copy of the objects up to what the source holds: what is new or changed is copied, what is gone is noted
 * and kept. The watermark is the time when the source's listing began; what a killed run has copied is not copied again.
 * @throws DrError where anything is left undone, after what is done has been recorded
 */
export async function backUpObjects(context: RunContext, options: ObjectsBackupOptions = {}): Promise<ObjectsBackup> {
  refuseReadOnly(context, "copy objects");
  const objects = objectsOf(context);
  const { name: backend } = targetConfig(context);
  const within = options.within ?? deadlineOf(context.plan, objectsSchedule);
  const begun = performance.now();
  return alone(context.config.workDirectory, within * beginWithin, context.signal, async (folder) => {
    const attempt: Attempt = { id: context.catalog.newId(store, kind), store, kind, schedule: objectsSchedule, startedAt: context.clock.now() };
    const buckets: ObjectBucket[] = [];
    try {
      const [source, target] = await Promise.all([openSource(objects), openTarget(context)]);
      buckets.push(source, target);
      return await syncAndRecord({ context, attempt, source, target, folder, begun, within, full: options.full === true });
    } catch (error) {
      if (!(error instanceof RecordedError)) await recordFailure({ ...context, backends: context.backends.filter(({ name }) => name === backend) }, attempt, error);
      throw error;
    } finally {
      for (const bucket of buckets) bucket.close();
    }
  });
}

type Attempt = Parameters<typeof recordFailure>[1];

/** A failure whose record is written already. */
class RecordedError extends DrError {}

interface Work {
  readonly context: RunContext;
  readonly attempt: Attempt;
  readonly source: ObjectBucket;
  readonly target: ObjectBucket;
  readonly folder: string;
  readonly begun: number;
  readonly within: number;
  readonly full: boolean;
}

async function syncAndRecord(work: Work): Promise<ObjectsBackup> {
  const { context, attempt, source, target, folder, begun, within } = work;
  const { signal } = context;
  context.report({ step: "read the index of the copy" });
  const state = await openIndex(target, { folder, signal });
  const baseDue = work.full || isBaseDue(state, attempt.startedAt);
  const result = await syncObjects({
    run: attempt.id, at: attempt.startedAt.toISOString(), source, target, state, compareTarget: baseDue, folder, signal,
    stopBegin: begun + within * beginWithin * 1_000, stopAll: begun + within * endWithin * 1_000,
    report: (progress) => context.report(progress),
  });
  const isComplete = result.counts.failed === 0 && result.counts.left === 0;
  const base = baseDue && isComplete ? await writeNewBase(work, signal) : undefined;
  const record = await recordOf(work, state, result, isComplete, base);
  const { failed } = await context.catalog.write(record);
  if (!isComplete) throw incomplete(attempt.id, result);
  return { record, outcome: failed.length > 0 || outcomeOf(record) !== "ok" ? "partial" : "ok" };
}

const isBaseDue = ({ base, runs, problems }: IndexState, now: Date): boolean => base === undefined || problems.length > 0 || runs >= baseEvery.runs || now.getTime() - base.at.getTime() > baseEvery.seconds * 1_000;

async function writeNewBase({ context, target, attempt, folder }: Work, signal: AbortSignal): Promise<{ readonly object: StoredObject; readonly totals: IndexTotals }> {
  const now = await openIndex(target, { folder, signal });
  const { retention } = scheduleOf(context.plan, objectsSchedule) ?? { retention: "forever" };
  const horizon = retention === "forever" ? new Date(0) : new Date(attempt.startedAt.getTime() - retention * 1_000);
  return writeBase(target, attempt.id, withoutExpired(now.entries(), target, horizon), folder, signal);
}

/** Names of what was deleted so long ago that its content has been removed too: nobody asks for them any more. */
async function* withoutExpired(entries: AsyncIterable<Entry>, target: ObjectBucket, horizon: Date): AsyncGenerator<Entry, void> {
  for await (const entry of entries) {
    const isOver = entry.deleted !== undefined && Date.parse(entry.deleted) < horizon.getTime();
    if (!isOver || (await target.head(placeOf(entry.key))) !== undefined) yield entry;
  }
}

async function recordOf({ context, attempt, target, begun }: Work, state: IndexState, { counts, files, failures }: SyncResult, isComplete: boolean, base: { readonly object: StoredObject; readonly totals: IndexTotals } | undefined): Promise<BackupRecord> {
  const backend = objectsBackend(context.plan);
  const finishedAt = context.clock.now();
  const copy: CopyResult = isComplete
    ? { backend, status: "ok", uri: target.uri(folders.data), bytes: counts.bytes, seconds: secondsSince(begun) }
    : { backend, status: "failed", error: whyIncomplete({ counts, files, failures }), kind: "partial" };
  return {
    version: recordVersion, id: attempt.id, store, kind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: finishedAt.toISOString(),
    watermark: { time: attempt.startedAt.toISOString() },
    sourceBytes: counts.bytes,
    objects: [], // the copy is one for all records: what a record names is removed when it expires
    encryption: "none", // clients are pointed at the copy as it is; the bucket's own encryption protects it
    copies: [copy],
    tools: counts.copied === 0 ? {} : { rclone: await rcloneVersion() },
    expiresAt: expiryOf(context.plan, objectsSchedule, attempt.startedAt),
    details: {
      ...counts, index: [...files, ...(base === undefined ? [] : [base.object])].map((file) => ({ ...file })), failures: failures.map(({ key, error }) => ({ key, error })),
      lagSeconds: (finishedAt.getTime() - attempt.startedAt.getTime()) / 1_000,
      indexBase: base === undefined ? (state.base?.run ?? null) : attempt.id, indexProblems: [...state.problems],
    },
  };
}

const whyIncomplete = ({ counts, failures }: SyncResult): string =>
  [
    ...(counts.left > 0 ? [`time was up with ${counts.left} objects left to copy, ${counts.copied} are copied; the next run goes on`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} objects could not be copied: ${failures.slice(0, 3).map(({ key, error }) => `${JSON.stringify(key)}: ${error}`).join("; ")}`] : []),
  ].join("; ");

function incomplete(id: string, result: SyncResult): RecordedError {
  return new RecordedError({ kind: result.counts.copied > 0 || result.counts.failed === 0 ? "partial" : "failed", what: whyIncomplete(result), where: id, todo: result.counts.left > 0 ? "Let the next run go on, or run `dr backup objects sync --within MINUTES` by hand for a first copying." : "Look at these objects; the next run tries them again." });
}

async function rcloneVersion(): Promise<string> {
  const { stdout } = await run(await findProgram("rclone"), ["version"], { deadline: 10 });
  return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "unknown";
}

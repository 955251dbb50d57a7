import { createHash } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { deadlineOf, expiryOf, refuseReadOnly, type FailedBackup } from "../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { encryptStream } from "../encryption/openpgp.ts";
import { DrError, messageOf } from "../errors.ts";
import { secondsSince } from "../system/clock.ts";
import { chooseContents, DamagedSource, type ArchiveContents, type Avoided } from "./contents.ts";
import type { ArchiveDepot, StoredArchive } from "./depot.ts";
import { openDepot } from "./open.ts";
import { tar, tarBytes } from "./tar.ts";
import { isoWeek } from "./week.ts";

export const store = "archive";
export const kind = "weekly";
const schedule = "archive";
/** A source that is damaged is read from another backend; each attempt writes the archive from its beginning. */
const attempts = 3;

export type ArchiveBackup =
  | { readonly done: true; readonly record: BackupRecord; readonly outcome: "ok" | "partial"; readonly leftOut: ArchiveContents["leftOut"]; readonly abandoned: readonly string[] }
  | { readonly done: false; readonly why: string; readonly backup: string };

/**
 * Writes this week's archive, unless there is one: the newest backup of every store that the plan archives, read from the
 * backends as they are (encrypted), in one tar file, encrypted once more as a whole. Unpacked it is a folder backend that
 * every other command restores from. Nothing of it lies on a disk; what an earlier run left unfinished is withdrawn.
 */
export async function backUpArchive(context: RunContext): Promise<ArchiveBackup> {
  refuseReadOnly(context, "write an archive");
  const startedAt = context.clock.now();
  const week = isoWeek(startedAt);
  const made = await archiveOf(context, week, startedAt);
  if (made !== undefined) return { done: false, why: `${week} has its archive`, backup: made.id };
  const attempt: FailedBackup = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt };
  const deadline = deadlineOf(context.plan, schedule);
  const depot = await openDepot(context);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(deadline * 1_000)]);
  try {
    // A run is over by its deadline; an upload that is younger may be another's.
    const abandoned = await depot.abandon(new Date(startedAt.getTime() - deadline * 1_000));
    const { record, leftOut } = await writeArchive(context, depot, attempt, week, signal);
    const { failed } = await context.catalog.write(record);
    return { done: true, record, outcome: failed.length > 0 || leftOut.length > 0 ? "partial" : "ok", leftOut, abandoned };
  } catch (error) {
    if (!context.signal.aborted) await recordFailure(context, depot, attempt, error);
    throw error;
  } finally {
    depot.close();
  }
}

/** One archive a week: the jobs of two regions, and a job that Kubernetes starts twice, make one. */
async function archiveOf(context: RunContext, week: string, now: Date): Promise<BackupRecord | undefined> {
  const { records } = await context.catalog.list({ store, kind, since: new Date(now.getTime() - 8 * 86_400_000) });
  return records.find((record) => outcomeOf(record) === "ok" && record.details["week"] === week);
}

async function writeArchive(context: RunContext, depot: ArchiveDepot, attempt: FailedBackup, week: string, signal: AbortSignal): Promise<{ readonly record: BackupRecord; readonly leftOut: ArchiveContents["leftOut"] }> {
  const avoided: Avoided = new Set();
  for (let turn = 1; ; turn += 1) {
    context.report({ step: "choose what goes into the archive" });
    const contents = await chooseContents(context, avoided);
    if (contents.backups.length === 0) throw new DrError({ kind: "failed", what: `there is nothing to archive: ${contents.leftOut.map(({ store: name, why }) => `${name}: ${why}`).join("; ")}`, where: attempt.id, todo: "Make backups first; see `dr status`." });
    try {
      return { record: await send(context, depot, attempt, week, contents, signal), leftOut: contents.leftOut };
    } catch (error) {
      signal.throwIfAborted();
      const damaged = error instanceof DamagedSource || (error instanceof Error && error.cause instanceof DamagedSource);
      if (!damaged || turn === attempts) throw error;
      context.report({ step: `begin the archive again, from another copy: ${error instanceof Error ? error.message : ""}` });
    }
  }
}

async function send(context: RunContext, depot: ArchiveDepot, attempt: FailedBackup, week: string, { entries, backups, leftOut }: ArchiveContents, signal: AbortSignal): Promise<BackupRecord> {
  const begun = performance.now();
  const hash = createHash("sha256");
  const sourceBytes = tarBytes(entries);
  const encrypted = encryptStream(Readable.from(tar(entries), { objectMode: false }), await context.passphrase(), { filename: `${week}.tar` });
  let done = 0;
  const counted = new PassThrough({ highWaterMark: 1024 ** 2, transform(chunk: Buffer, _encoding, next) {
    hash.update(chunk);
    done += chunk.length;
    context.report({ step: `write the archive of ${week}`, done, total: sourceBytes, unit: "bytes" });
    next(null, chunk);
  } });
  encrypted.once("error", (error) => counted.destroy(error));
  counted.once("close", () => encrypted.destroy());
  const stored: StoredArchive = await depot.store(`${week} ${attempt.id}`.replaceAll(" ", "-"), encrypted.pipe(counted), { expectedBytes: sourceBytes * 1.02 + 1024 ** 2, signal });
  if (stored.bytes !== done) throw new DrError({ kind: "failed", what: `the archive has ${stored.bytes} of ${done} bytes`, where: stored.uri, todo: "Start it again." });
  return {
    version: recordVersion, id: attempt.id, store, kind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: backups.map(({ recoveredTo }) => recoveredTo).sort()[0] ?? attempt.startedAt.toISOString() },
    sourceBytes, objects: [], encryption: "openpgp",
    copies: [{ backend: depot.name, status: "ok", uri: stored.uri, bytes: stored.bytes, seconds: secondsSince(begun) }],
    tools: {}, expiresAt: expiryOf(context.plan, schedule, attempt.startedAt),
    details: { week, storageClass: depot.storageClass, sha256: hash.digest("hex"), files: entries.length, reference: { ...stored.reference }, backups: backups.map((backup) => ({ ...backup })), leftOut: leftOut.map((one) => ({ ...one })) },
  };
}

/** Alerts are made from records. The backends have nothing to do with it, so the failure is the archive's alone. */
async function recordFailure(context: RunContext, { name }: ArchiveDepot, { id, startedAt }: FailedBackup, error: unknown): Promise<void> {
  const failure = messageOf(error);
  const begun = startedAt.toISOString();
  try {
    await context.catalog.write({
      version: recordVersion, id, store, kind, startedAt: begun, finishedAt: context.clock.now().toISOString(), watermark: { time: begun }, sourceBytes: 0, objects: [], encryption: "openpgp",
      copies: [{ backend: name, status: "failed", error: failure }], tools: {}, expiresAt: expiryOf(context.plan, schedule, startedAt), details: { failure, week: isoWeek(startedAt) },
    });
  } catch (unwritten) {
    context.report({ step: `the failure could not be recorded either: ${messageOf(unwritten)}` });
  }
}

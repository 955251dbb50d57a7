/** One pass over the source: what has changed is copied in batches, each of which stands for itself. */
import type { StoredObject } from "../../catalog/record.ts";
import type { Progress } from "../../context.ts";
import { copyBatch } from "./batch.ts";
import type { Found, ObjectBucket } from "./bucket.ts";
import { isLive, type Entry } from "./entry.ts";
import { writeChanges, type IndexState } from "./index.ts";
import { folders, isPlain } from "./keys.ts";
import { join, nothing, ordered } from "./streams.ts";

/** So much is copied before it is written down as done: what a killed run has to do again. */
const batchLimits = { objects: 2_000, bytes: 1024 ** 3 } as const;

export interface SyncOptions {
  readonly run: string;
  /** When the listing began, ISO 8601. */
  readonly at: string;
  readonly source: ObjectBucket;
  readonly target: ObjectBucket;
  readonly state: IndexState;
  /** Look whether the copy still has what the index says: what somebody removed from it is copied again. */
  readonly compareTarget: boolean;
  readonly folder: string;
  /** Milliseconds of `performance.now()` after which no batch is begun, and at which one is ended. */
  readonly stopBegin: number;
  readonly stopAll: number;
  readonly signal: AbortSignal;
  readonly report: (progress: Progress) => void;
}

export interface SyncCounts {
  /** In the source as it was listed. */
  objects: number;
  bytes: number;
  /** Copied by this run, and of these: not there before, overwritten, gone from the copy. */
  copied: number;
  copiedBytes: number;
  added: number;
  changed: number;
  repaired: number;
  /** Found gone from the source by this run; kept in the copy. */
  deleted: number;
  /** Older contents put aside, as the bucket keeps no versions. */
  preserved: number;
  /** Gone from the source between its listing and its copying. */
  vanished: number;
  failed: number;
  /** Not looked at any more, as time was up. */
  left: number;
}

export interface SyncResult {
  readonly counts: SyncCounts;
  /** The index's files that were written. */
  readonly files: readonly StoredObject[];
  /** The first of those that failed, each with why. */
  readonly failures: readonly { readonly key: string; readonly error: string }[];
}

/** What one key needs. */
export type Task =
  | { readonly kind: "copy"; readonly object: Found; readonly before: Entry | undefined }
  | { readonly kind: "delete"; readonly entry: Entry };

export const keyOfTask = (task: Task): string => (task.kind === "copy" ? task.object.key : task.entry.key);

export async function syncObjects(options: SyncOptions): Promise<SyncResult> {
  const counts: SyncCounts = { objects: 0, bytes: 0, copied: 0, copiedBytes: 0, added: 0, changed: 0, repaired: 0, deleted: 0, preserved: 0, vanished: 0, failed: 0, left: 0 };
  const files: StoredObject[] = [];
  const failures: { key: string; error: string }[] = [];
  let batch: Task[] = [];
  let bytes = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    if (performance.now() > options.stopBegin) counts.left += batch.length;
    else {
      const entries = await copyBatch(options, batch, counts, failures);
      if (entries.length > 0) files.push(await writeChanges(options.target, options.run, files.length + 1, entries, options.signal));
    }
    [batch, bytes] = [[], 0];
  };
  for await (const task of tasks(options, counts)) {
    options.signal.throwIfAborted();
    batch.push(task);
    bytes += task.kind === "copy" ? task.object.bytes : 0;
    if (batch.length >= batchLimits.objects || bytes >= batchLimits.bytes) await flush();
  }
  await flush();
  return { counts, files, failures };
}

/** Merges the source's listing with the state of the copy, and with the copy's own listing where it is to be compared. */
async function* tasks({ source, target, state, compareTarget, report }: SyncOptions, counts: SyncCounts): AsyncGenerator<Task, void> {
  const listed = ordered(source.list(""), source.uri(""));
  const both = join(listed, state.entries());
  const present = compareTarget ? ordered(relative(target), target.uri(folders.data)) : nothing();
  for await (const [pair, there] of join(keyed(both), present)) {
    if (pair === undefined) continue; // in the copy, and in no index: left by a run that was killed before it wrote it down
    const { object, entry } = pair;
    if (object !== undefined) {
      [counts.objects, counts.bytes] = [counts.objects + 1, counts.bytes + object.bytes];
      if (counts.objects % 10_000 === 0) report({ step: `objects: ${counts.objects} listed, ${counts.copied} copied` });
    }
    const task = taskOf(object, entry, compareTarget && isPlain(pair.key) ? (there ?? "missing") : undefined);
    if (task !== undefined) yield task;
  }
}

function taskOf(object: Found | undefined, entry: Entry | undefined, there: Found | "missing" | undefined): Task | undefined {
  if (object === undefined) return isLive(entry) ? { kind: "delete", entry } : undefined;
  const isSame = isLive(entry) && entry.etag === object.etag && entry.bytes === object.bytes;
  const isDamaged = there !== undefined && (there === "missing" || there.bytes !== object.bytes);
  return isSame && !isDamaged ? undefined : { kind: "copy", object, before: entry };
}

async function* keyed(pairs: AsyncIterable<readonly [Found | undefined, Entry | undefined]>): AsyncGenerator<{ readonly key: string; readonly object: Found | undefined; readonly entry: Entry | undefined }, void> {
  for await (const [object, entry] of pairs) yield { key: object?.key ?? entry?.key ?? "", object, entry };
}

async function* relative(target: ObjectBucket): AsyncGenerator<Found, void> {
  for await (const found of target.list(folders.data)) yield { ...found, key: found.key.slice(folders.data.length) };
}

/** One batch of a pass: older contents put aside, copied, looked at in the copy, and said as lines of the index. */
import { DrError, messageOf } from "../../errors.ts";
import { StorageError } from "../../storage/faults.ts";
import { secondsSince } from "../../system/clock.ts";
import { copyObject } from "./copy.ts";
import { isLive, md5Of, type Entry } from "./entry.ts";
import { historyPlaceOf, isPlain, placeOf, folders, compareKeys } from "./keys.ts";
import { copyByRclone } from "./rclone.ts";
import { forEachAtOnce } from "./streams.ts";
import type { SyncCounts, SyncOptions, Task } from "./sync.ts";

/** Small requests on their way at once. */
const requestsAtOnce = 16;
/** Objects that are copied one by one where rclone failed with them; more than that is no fault of the objects. */
const mostRetried = 50;
/** Failures that are named in the record. */
const mostNamed = 20;

type CopyTask = Extract<Task, { kind: "copy" }>;
interface Failure {
  readonly key: string;
  readonly error: string;
}

/** @returns the lines of what is done now, in the order of the keys. Throws where nothing at all could be copied. */
export async function copyBatch(options: SyncOptions, batch: readonly Task[], counts: SyncCounts, failures: Failure[]): Promise<Entry[]> {
  const copies = batch.filter((task): task is CopyTask => task.kind === "copy");
  const entries = batch.flatMap((task): Entry[] => (task.kind === "delete" ? [{ ...task.entry, deleted: options.at }] : []));
  counts.deleted += entries.length;
  const fail = (key: string, error: string) => {
    counts.failed += 1;
    if (failures.length < mostNamed) failures.push({ key, error });
  };
  const kept = await preserve(options, copies, counts, fail);
  const plain = kept.filter(({ object }) => isPlain(object.key));
  const errors = plain.length === 0 ? new Map<string, string>() : await copyByRclone(rcloneOf(options, plain));
  const again: CopyTask[] = kept.filter(({ object }) => !isPlain(object.key));
  await forEachAtOnce(plain.filter(({ object }) => !errors.has(object.key)), requestsAtOnce, async (task) => {
    const entry = await entryOf(options, task);
    if (entry === undefined) again.push(task);
    else entries.push(counted(entry, task, counts));
  });
  const failed = plain.filter(({ object }) => errors.has(object.key));
  await copyOneByOne(options, [...again, ...failed.slice(0, mostRetried)], errors, counts, entries, fail);
  for (const { object } of failed.slice(mostRetried)) fail(object.key, errors.get(object.key) ?? "rclone failed");
  return entries.sort((a, b) => compareKeys(a.key, b.key));
}

const rcloneOf = (options: SyncOptions, plain: readonly CopyTask[]) => ({
  source: options.source, target: options.target, under: folders.data, keys: plain.map(({ object }) => object.key), largest: Math.max(...plain.map(({ object }) => object.bytes)), folder: options.folder,
  deadline: Math.max(1, -secondsSince(options.stopAll)), signal: options.signal, onCopied: () => undefined,
});

/** What is about to be overwritten is put aside first where the bucket has no versions; where that fails, it stays as it is. */
async function preserve({ target, report }: SyncOptions, tasks: readonly CopyTask[], counts: SyncCounts, fail: (key: string, error: string) => void): Promise<CopyTask[]> {
  const kept: CopyTask[] = [];
  await forEachAtOnce(tasks, requestsAtOnce, async (task) => {
    const { before } = task;
    try {
      if (before !== undefined && before.version === undefined && before.etag !== task.object.etag) {
        const place = historyPlaceOf(before.key, before.run);
        // What a killed run has put aside already must not be replaced by what it then wrote.
        if ((await target.head(place)) === undefined && (await target.copyWithin(placeOf(before.key), place, before.bytes))) counts.preserved += 1;
      }
      kept.push(task);
    } catch (error) {
      fail(task.object.key, `its older content could not be put aside: ${messageOf(error)}`);
    }
  });
  if (kept.length > 0) report({ step: `objects: ${kept.length} to copy in this batch`, done: counts.copied });
  return kept;
}

/** Looks at the copy; `undefined` where it is not what was listed, as the source changed meanwhile or the upload got lost. */
async function entryOf({ source, target, run }: SyncOptions, { object }: CopyTask): Promise<Entry | undefined> {
  const head = await target.head(placeOf(object.key));
  if (head === undefined || head.bytes !== object.bytes) return undefined;
  const [wanted, found] = [md5Of(object.etag), md5Of(head.etag)];
  // Under KMS no ETag is an MD5, and parts need not be of one length: then the source is asked whether it is still the same.
  const isSame = wanted !== undefined && wanted === found ? true : (await source.head(object.key))?.etag === object.etag;
  return isSame ? { key: object.key, bytes: object.bytes, etag: object.etag, modified: object.modifiedAt.toISOString(), run, ...(head.version === undefined ? {} : { version: head.version }) } : undefined;
}

async function copyOneByOne(options: SyncOptions, tasks: readonly CopyTask[], said: ReadonlyMap<string, string>, counts: SyncCounts, entries: Entry[], fail: (key: string, error: string) => void): Promise<void> {
  const { source, target, run, signal } = options;
  let stood = entries.length > 0;
  await forEachAtOnce(tasks, requestsAtOnce / 4, async (task) => {
    const { key } = task.object;
    try {
      const { bytes, etag, modifiedAt } = await copyObject({ from: { bucket: source, key }, to: { bucket: target, key: placeOf(key) }, signal });
      const version = (await target.head(placeOf(key)))?.version;
      entries.push(counted({ key, bytes, etag, modified: modifiedAt.toISOString(), run, ...(version === undefined ? {} : { version }) }, task, counts));
      stood = true;
    } catch (error) {
      signal.throwIfAborted();
      if (await isGone(source, key, error)) counts.vanished += 1;
      // Where the very first cannot be done, the rest of a hundred thousand will not either.
      else if (!stood && isGeneral(error)) throw error;
      else fail(key, `${messageOf(error)}${said.has(key) ? ` (rclone: ${said.get(key) ?? ""})` : ""}`);
    }
  });
}

/** Between its listing and now somebody removed it: nothing is there to be copied, and the next run marks it as deleted. */
async function isGone(source: { head(key: string): Promise<unknown> }, key: string, error: unknown): Promise<boolean> {
  return error instanceof StorageError && error.fault === "missing-object" && (await source.head(key)) === undefined;
}

const general: ReadonlySet<string> = new Set(["refused", "unresolvable", "no-answer", "untrusted", "wrong-key", "forbidden", "missing-bucket", "full"]);
const isGeneral = (error: unknown): boolean => error instanceof DrError && error instanceof StorageError && general.has(error.fault);

function counted(entry: Entry, { object, before }: CopyTask, counts: SyncCounts): Entry {
  counts.copied += 1;
  counts.copiedBytes += entry.bytes;
  if (!isLive(before)) counts.added += 1;
  else if (before.etag === object.etag) counts.repaired += 1;
  else counts.changed += 1;
  return entry;
}

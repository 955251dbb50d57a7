/**
 * The index says what the copy holds and held: a base of everything once a day, and what each run changed, all of it
 * written once. From a base and the changes behind it follows the state at the time of any run.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { StoredObject } from "../../catalog/record.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { ObjectBucket } from "./bucket.ts";
import type { Entry } from "./entry.ts";
import { compressEntries, readEntries, readEntriesOfFile, writeEntriesToFile, type IndexTotals } from "./index-file.ts";
import { folders } from "./keys.ts";
import { nothing, overlay, overlayAll, ordered } from "./streams.ts";

/** The run that a file of the index belongs to; runs sort by time. */
export const baseRun = (key: string): string | undefined => new RegExp(`^${folders.base}([^/]+)\\.jsonl\\.gz$`).exec(key)?.[1];
export const changesRun = (key: string): string | undefined => new RegExp(`^${folders.changes}([^/]+)/\\d+\\.jsonl\\.gz$`).exec(key)?.[1];

/** `20261122T203000123Z-…` as time. */
export function timeOfRun(run: string): Date {
  const [, year, month, day, hour, minute, second, milli] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-/.exec(run) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`);
}

export interface IndexState {
  /** The base that it begins with; absent where there is none yet. */
  readonly base: { readonly run: string; readonly at: Date } | undefined;
  /** Runs behind it that changed something. */
  readonly runs: number;
  /** Bases that could not be read, newest first. */
  readonly problems: readonly string[];
  /** In the order of the keys, deleted ones among them. Can be read more than once. */
  entries(): AsyncIterable<Entry>;
}

export interface OpenIndexOptions {
  /** The state after the newest run that began at this time or before. Default: the newest. */
  readonly at?: Date;
  /** For the base, which is read at the pace of the work: a connection would not live that long. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** @throws DrError where the bucket cannot be read, or every base is damaged */
export async function openIndex(bucket: ObjectBucket, { at, folder, signal }: OpenIndexOptions): Promise<IndexState> {
  const isIn = (run: string | undefined): run is string => run !== undefined && (at === undefined || timeOfRun(run) <= at);
  const bases: string[] = [];
  let later = 0;
  for await (const { key } of bucket.list(folders.base)) {
    if (isIn(baseRun(key))) bases.push(key);
    else later += 1;
  }
  // Without what it builds on, a run's changes are not a state: everything that they do not name would be missing.
  if (bases.length === 0 && later > 0) throw new DrError({ kind: "failed", what: "the index of that time has expired", where: bucket.uri(folders.base), todo: "Name a later time." });
  const problems: string[] = [];
  for (const key of bases.reverse()) {
    const file = join(folder, `base-${problems.length}.jsonl.gz`);
    try {
      await fetchWhole(bucket, key, file, signal);
      return await withChanges(bucket, { key, file }, isIn, problems, signal);
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${bucket.uri(key)}: ${messageOf(error)}`);
    }
  }
  // Of nothing, changes alone make a state: a first run that was killed goes on where it stopped.
  if (problems.length === 0) return withChanges(bucket, undefined, isIn, problems, signal);
  throw new DrError({ kind: "failed", what: `no base of the objects' index can be read: ${problems.join("; ")}`, where: bucket.uri(folders.base), todo: "Bring back an older version of one of these files, or remove them: the next run then copies everything again." });
}

/** Reads the file to its end before it is believed. */
async function fetchWhole(bucket: ObjectBucket, key: string, file: string, signal: AbortSignal): Promise<void> {
  const { body } = await bucket.get(key, { signal });
  await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal });
  for await (const entry of ordered(readEntriesOfFile(file, bucket.uri(key)), bucket.uri(key))) if (entry.key === "") throw new RangeError("an object has no name");
}

async function withChanges(bucket: ObjectBucket, base: { readonly key: string; readonly file: string } | undefined, isIn: (run: string | undefined) => run is string, problems: readonly string[], signal: AbortSignal): Promise<IndexState> {
  const run = base === undefined ? undefined : baseRun(base.key);
  const parts = new Map<string, string[]>();
  for await (const { key } of bucket.list(folders.changes, run === undefined ? undefined : `${folders.changes}${run}/~`)) {
    const changed = changesRun(key);
    if (isIn(changed)) parts.set(changed, [...(parts.get(changed) ?? []), key]);
  }
  const changes = () => overlayAll([...parts.values()].map((keys) => readParts(bucket, keys, signal)));
  const whole = () => (base === undefined ? nothing() : readEntriesOfFile(base.file, bucket.uri(base.key)));
  return { base: run === undefined ? undefined : { run, at: timeOfRun(run) }, runs: parts.size, problems, entries: () => overlay<Entry>(whole(), changes()) };
}

/** A run's parts follow each other in the order of the keys; each is small enough to be in memory. */
async function* readParts(bucket: ObjectBucket, keys: readonly string[], signal: AbortSignal): AsyncGenerator<Entry, void> {
  for (const key of keys) {
    const entries: Entry[] = [];
    for await (const entry of readEntries((await bucket.get(key, { signal })).body, bucket.uri(key))) entries.push(entry);
    yield* entries;
  }
}

/** Makes what a part of a run has done last: from now on the next run builds on it. */
export async function writeChanges(bucket: ObjectBucket, run: string, part: number, entries: readonly Entry[], signal: AbortSignal): Promise<StoredObject> {
  const key = `${folders.changes}${run}/${String(part).padStart(6, "0")}.jsonl.gz`;
  const body = compressEntries(entries);
  await bucket.put(key, body, { contentType: "application/gzip", signal });
  return { key, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") };
}

/** Writes the whole state as it is after `run`. */
export async function writeBase(bucket: ObjectBucket, run: string, state: AsyncIterable<Entry>, folder: string, signal: AbortSignal): Promise<{ readonly object: StoredObject; readonly totals: IndexTotals }> {
  const key = `${folders.base}${run}.jsonl.gz`;
  const file = join(folder, "new-base.jsonl.gz");
  const totals = await writeEntriesToFile(state, file);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  const { size: bytes } = await stat(file);
  await bucket.put(key, createReadStream(file), { expectedBytes: bytes, contentType: "application/gzip", signal });
  return { object: { key, bytes, sha256: hash.digest("hex") }, totals };
}

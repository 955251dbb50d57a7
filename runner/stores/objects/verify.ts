import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import type { MeasuredWork, Verification, VerificationCheck } from "../../verification.ts";
import { verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import type { Found, ObjectBucket } from "./bucket.ts";
import { compareObject } from "./compare.ts";
import { isLive, type Entry } from "./entry.ts";
import { openIndex, type IndexState } from "./index.ts";
import { folders, isPlain, placeOf } from "./keys.ts";
import { alone } from "./lock.ts";
import { placesOf, type Place } from "./restored-content.ts";
import { Sample } from "./sample.ts";
import { openSource, openTarget } from "./source-and-target.ts";
import { forEachAtOnce, join, nothing, ordered } from "./streams.ts";

/** Objects that are read on both sides. */
const sampleSize = 50;
const atOnce = 4;
const mostNamed = 10;
/** Seconds that a copying at work is waited for. */
const waitForOthers = 300;

/**
 * Verifies the copy as the record left it: both sides are listed and compared with the index, and a sample, the same
 * for the same record, is read from both and compared byte by byte. Nothing is restored into a server: objects are
 * used as they lie. What changed in the source since is compared with what the index says of it.
 */
export async function verifyObjects(context: RunContext, record: BackupRecord): Promise<Verification> {
  const target = await openTarget(context);
  try {
    return await verifyCopies(context, record, (copy) => verifyTarget(context, record, target, copy));
  } finally {
    target.close();
  }
}

async function verifyTarget(context: RunContext, record: BackupRecord, target: ObjectBucket, { backend, checks, errors }: CopyOnTrial): Promise<MeasuredWork | undefined> {
  if (target.config.name !== backend.name) {
    errors.push(`the plan has the objects in ${target.config.name}, not in ${backend.name}`);
    return undefined;
  }
  const source = await reachableSource(context, checks);
  try {
    return await alone(context.config.workDirectory, waitForOthers, context.signal, async (folder) => {
      const state = await openIndex(target, { at: new Date(record.startedAt), folder, signal: context.signal });
      const now = await openIndex(target, { folder, signal: context.signal });
      const compared = await compare(context, { record, target, source, state, now }, checks);
      errors.push(...compared.errors);
      return compared.measured;
    });
  } finally {
    source?.close();
  }
}

/** The copy can be verified without its source, which may be what was lost; then it is said. */
async function reachableSource({ config }: RunContext, checks: VerificationCheck[]): Promise<ObjectBucket | undefined> {
  const without = (why: string) => void checks.push({ name: "the source is not looked at", ok: true, detail: `${why}; contents are compared with what the index says of them` });
  if (config.objects === undefined) {
    without("this configuration does not name it");
    return undefined;
  }
  const source = await openSource(config.objects);
  try {
    const listing = source.list("");
    await listing.next();
    await listing.return();
    return source;
  } catch (error) {
    source.close();
    without(messageOf(error));
    return undefined;
  }
}

interface Sides {
  readonly record: BackupRecord;
  readonly target: ObjectBucket;
  readonly source: ObjectBucket | undefined;
  /** As the record left it, and as it is. */
  readonly state: IndexState;
  readonly now: IndexState;
}

interface Sampled {
  readonly entry: Entry;
  /** Whether the source still has that content. */
  readonly isSame: boolean;
}

async function compare(context: RunContext, sides: Sides, checks: VerificationCheck[]): Promise<{ measured: MeasuredWork; errors: string[] }> {
  const sample = new Sample<Sampled>(sides.record.id, sampleSize);
  const errors = await listBothSides(context, sides, sample, checks);
  const downloading = performance.now();
  const seen = { bytes: 0, source: 0, record: 0, nothing: 0 };
  const wrong: string[] = [];
  await forEachAtOnce(sample.items, atOnce, async ({ entry, isSame }) => {
    context.signal.throwIfAborted();
    const found = await compareAnywhere(entry, sides, isSame ? sides.source : undefined, context.signal);
    seen.bytes += found.bytes;
    seen[found.against] += 1;
    if (found.error !== undefined) wrong.push(`${JSON.stringify(entry.key)} in ${sides.target.config.name}: ${found.error}`);
  });
  const unread = seen.nothing === 0 ? "" : `, ${seen.nothing} only read, as nothing says what they should be`;
  checks.push({ name: "a sample is read and compared byte by byte", ok: wrong.length === 0, detail: `${seen.source} with the source, ${seen.record} with the index${unread}` });
  checks.push({ name: "nothing is restored into a server", ok: true, detail: "clients are pointed at the copy as it lies" });
  return { measured: { downloadBytes: seen.bytes, downloadSeconds: secondsSince(downloading) }, errors: [...errors, ...wrong] };
}

async function compareAnywhere(entry: Entry, { target }: Sides, source: ObjectBucket | undefined, signal: AbortSignal): Promise<Awaited<ReturnType<typeof compareObject>>> {
  const tried: string[] = [];
  for (const place of placesOf(entry)) {
    try {
      return await compareObject(entry, { bucket: target, place }, source, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isHistoryOf(entry, place)) tried.push(messageOf(error));
    }
  }
  return { bytes: 0, error: tried.join("; "), against: "nothing" };
}

const isHistoryOf = (entry: Entry, place: Place): boolean => place.key !== placeOf(entry.key);

/** What the copy lacks of what the index says, and what the source has that no run ever saw although it is older. */
async function listBothSides(context: RunContext, { record, target, source, state, now }: Sides, sample: Sample<Sampled>, checks: VerificationCheck[]): Promise<string[]> {
  const missing = new Names();
  const unseen = new Names();
  let objects = 0;
  const originals = source === undefined ? nothing() : ordered(source.list(""), source.uri(""));
  const history = joined(join(state.entries(), now.entries()));
  for await (const [pair, rest] of join(history, joined(join(originals, ordered(dataOf(target), target.uri(folders.data)))))) {
    context.signal.throwIfAborted();
    const [entry, newest] = pair === undefined ? [undefined, undefined] : [pair.left, pair.right];
    const [original, there] = rest === undefined ? [undefined, undefined] : [rest.left, rest.right];
    if (isLive(entry)) {
      objects += 1;
      const isNewest = newest !== undefined && newest.run === entry.run;
      if (isNewest && isPlain(entry.key) && (there === undefined || there.bytes !== entry.bytes)) missing.add(entry.key, there);
      else sample.offer(entry.key, { entry, isSame: original !== undefined && original.etag === entry.etag && original.bytes === entry.bytes });
    } else if (original !== undefined && original.modifiedAt.getTime() < Date.parse(record.watermark.time) - clockMargin) unseen.add(original.key);
  }
  checks.push({ name: "the copy's listing has what the index says", ok: missing.count === 0, detail: `${objects} objects, ${missing.count} missing or of another size` });
  if (source !== undefined) checks.push({ name: "the source's listing has nothing older that is not copied", ok: unseen.count === 0, detail: `${unseen.count} not copied` });
  return [...missing.errors("is missing from the copy, or of another size"), ...unseen.errors("is in the source, older than the watermark, and not in the copy")];
}

/** The store's clock and ours; in ms. What is younger may have come after the listing had passed its name. */
const clockMargin = 300_000;

class Names {
  count = 0;
  readonly #some: string[] = [];

  add(key: string, there?: Found): void {
    this.count += 1;
    if (this.#some.length < mostNamed) this.#some.push(there === undefined ? JSON.stringify(key) : `${JSON.stringify(key)} (${there.bytes} bytes)`);
  }

  errors(what: string): string[] {
    return this.count <= mostNamed ? this.#some.map((name) => `${name} ${what}`) : [...this.#some.map((name) => `${name} ${what}`), `and ${this.count - mostNamed} more`];
  }
}

async function* joined<A extends { readonly key: string }, B extends { readonly key: string }>(pairs: AsyncIterable<readonly [A | undefined, B | undefined]>): AsyncGenerator<{ readonly key: string; readonly left: A | undefined; readonly right: B | undefined }, void> {
  for await (const [left, right] of pairs) yield { key: left?.key ?? right?.key ?? "", left, right };
}

async function* dataOf(target: ObjectBucket): AsyncGenerator<Found, void> {
  for await (const found of target.list(folders.data)) yield { ...found, key: found.key.slice(folders.data.length) };
}

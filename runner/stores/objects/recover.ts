import { outcomeOf } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import type { Found, ObjectBucket } from "./bucket.ts";
import { isLive, type Entry } from "./entry.ts";
import { openIndex, type IndexState } from "./index.ts";
import { alone } from "./lock.ts";
import { restoreEntry } from "./restored-content.ts";
import { kind, objectsOf, openSource, openTarget, store } from "./source-and-target.ts";
import { forEachAtOnce, join, ordered } from "./streams.ts";

export interface ObjectsRecoveryOptions {
  /** An id of the catalog, `latest`, or a time: the state after the newest complete run that began by then. */
  readonly backup: string | { readonly at: Date };
  /** Only keys that begin so. */
  readonly only?: string;
  /** Into another bucket of the same provider than the configured one. */
  readonly bucket?: string;
  /** Overwrite objects that were written after the time that is recovered. */
  readonly force?: boolean;
  /** Count, and write nothing. */
  readonly dryRun?: boolean;
}

export interface ObjectsRecovery {
  readonly backup: string;
  /** ISO 8601; what the bucket held then is what is brought back. */
  readonly recoveredTo: string;
  readonly into: string;
  readonly dryRun: boolean;
  /** Brought back, or to be brought back in a dry run. */
  readonly restored: { readonly objects: number; readonly bytes: number };
  /** There already as they were. */
  readonly unchanged: number;
  /** Others of the same name were written since, and stay without `force`. */
  readonly newer: { readonly objects: number; readonly some: readonly string[] };
  /** In the bucket, but not at that time; they stay in any case. */
  readonly since: number;
  readonly failed: { readonly objects: number; readonly some: readonly { readonly key: string; readonly error: string }[] };
  readonly seconds: number;
}

/** Objects on their way at once; each has up to 32 MiB in memory where it is large. */
const atOnce = 8;
const mostNamed = 20;
/** Seconds that a copying in the other direction is waited for. */
const waitForOthers = 300;

/**
 * Brings objects back into the services' bucket as they were. Nothing is deleted, and nothing newer is overwritten
 * without `force`. Started again it goes on: what is there as it was is not written again.
 */
export async function recoverObjects(context: RunContext, options: ObjectsRecoveryOptions): Promise<ObjectsRecovery> {
  const { signal } = context;
  const begun = performance.now();
  const objects = objectsOf(context);
  const chosen = await chooseRun(context, options.backup);
  const [copy, into] = await Promise.all([openTarget(context), openSource(objects, { write: options.dryRun !== true, bucket: options.bucket })]);
  try {
    return await alone(context.config.workDirectory, waitForOthers, signal, async (folder) => {
      const state = await openIndex(copy, { at: chosen.at, folder, signal });
      const counts = await bringBack(context, { copy, into, state, recoveredTo: chosen.at, options });
      return { backup: chosen.id, recoveredTo: chosen.at.toISOString(), into: into.uri(options.only ?? ""), dryRun: options.dryRun === true, ...counts, seconds: secondsSince(begun) };
    });
  } finally {
    copy.close();
    into.close();
  }
}

interface Chosen {
  readonly id: string;
  /** When that run began. */
  readonly at: Date;
}

async function chooseRun({ catalog, clock }: RunContext, choice: ObjectsRecoveryOptions["backup"]): Promise<Chosen> {
  if (typeof choice === "string") {
    const record = await catalog.find(choice, { store, kind });
    if (outcomeOf(record) === "failed") throw new DrError({ kind: "failed", what: "this run did not copy everything", where: record.id, todo: "Name another (`dr catalog list --store objects`), or a time with --at." });
    return { id: record.id, at: new Date(record.startedAt) };
  }
  if (choice.at > clock.now()) throw new DrError({ kind: "usage", what: `the target time ${choice.at.toISOString()} is in the future`, where: "--at", todo: "Name a past time, or `latest`." });
  const { records } = await catalog.list({ store, kind });
  const good = records.filter((record) => outcomeOf(record) !== "failed");
  const newest = good.findLast((record) => Date.parse(record.watermark.time) <= choice.at.getTime());
  if (newest !== undefined) return { id: newest.id, at: new Date(newest.startedAt) };
  const [oldest] = good;
  throw new DrError({ kind: "failed", what: "No backup available before target time", where: choice.at.toISOString(), todo: oldest === undefined ? "The objects were never copied as a whole; `dr backup objects sync` does it." : `The oldest reaches to ${oldest.watermark.time}; name a later time.` });
}

interface Work {
  readonly copy: ObjectBucket;
  readonly into: ObjectBucket;
  readonly state: IndexState;
  readonly recoveredTo: Date;
  readonly options: ObjectsRecoveryOptions;
}

async function bringBack(context: RunContext, { copy, into, state, recoveredTo, options }: Work): Promise<Pick<ObjectsRecovery, "restored" | "unchanged" | "newer" | "since" | "failed">> {
  const { only = "", force = false, dryRun = false } = options;
  const restored = { objects: 0, bytes: 0 };
  const newer: string[] = [];
  const failures: { key: string; error: string }[] = [];
  const others = { unchanged: 0, since: 0, newer: 0, failed: 0 };
  async function* missing(): AsyncGenerator<Entry, void> {
    for await (const [entry, there] of join(liveUnder(state, only), ordered(into.list(only), into.uri(only)))) {
      const judged = judge(entry, there, recoveredTo);
      if (judged === "newer" && newer.length < mostNamed && there !== undefined) newer.push(there.key);
      if (judged !== "restore") others[judged] += 1;
      if (entry !== undefined && (judged === "restore" || (judged === "newer" && force))) yield entry;
    }
  }
  const restore = async (entry: Entry) => {
    try {
      if (!dryRun) await restoreEntry(copy, entry, { bucket: into, key: entry.key }, context.signal);
      restored.objects += 1;
      restored.bytes += entry.bytes;
      if (restored.objects % 100 === 0) context.report({ step: `objects: ${restored.objects} brought back`, done: restored.bytes, unit: "bytes" });
    } catch (error) {
      context.signal.throwIfAborted();
      if (restored.objects === 0 && error instanceof DrError && error.kind === "unavailable") throw error; // so will all others
      others.failed += 1;
      if (failures.length < mostNamed) failures.push({ key: entry.key, error: messageOf(error) });
    }
  };
  await forEachAtOnce(missing(), atOnce, restore);
  return { restored, unchanged: others.unchanged, newer: { objects: others.newer, some: newer }, since: others.since, failed: { objects: others.failed, some: failures } };
}

function judge(entry: Entry | undefined, there: Found | undefined, recoveredTo: Date): "restore" | "unchanged" | "newer" | "since" {
  if (entry === undefined) return "since";
  if (there === undefined) return "restore";
  if (there.etag === entry.etag && there.bytes === entry.bytes) return "unchanged";
  return there.modifiedAt > recoveredTo ? "newer" : "restore";
}

async function* liveUnder(state: IndexState, only: string): AsyncGenerator<Entry, void> {
  for await (const entry of state.entries()) if (isLive(entry) && entry.key.startsWith(only)) yield entry;
}

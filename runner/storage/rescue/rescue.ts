import type { S3BackendConfig } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError, kindOf, messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { VersionedBucket } from "./bucket.ts";
import type { StoredVersion } from "./choice.ts";
import { copyVersion, type Check } from "./copy.ts";
import { Lanes } from "./lanes.ts";
import { beginOrGoOn, writeResult } from "./journal.ts";
import { missingObjects, RecordedSums } from "./records.ts";
import { sourceConfig, targetConfig, openTarget, sameStore, type RescueDestination } from "./places.ts";
import { estimate, fatesIn, survey, type Amount, type Estimate, type Survey } from "./survey.ts";
import type { RescueTarget } from "./target.ts";
import { Unsaved, type UnsavedObject } from "./unsaved.ts";

export interface RescueRequest {
  /** The backend that the thief could write to, by its name in the configuration. */
  readonly backend: string;
  /** Before the first misuse: what was in force then is copied. */
  readonly at: Date;
  readonly to: RescueDestination;
  /** Say how much it is and how long reading it takes, and copy nothing. */
  readonly dryRun?: boolean;
}

export interface Rescue {
  readonly dryRun: boolean;
  readonly backend: string;
  readonly at: string;
  readonly to: string;
  /** What was in force at the time. */
  readonly found: Amount & Pick<Survey, "folders" | "deleted" | "later" | "lost" | "keepsVersions">;
  readonly copied: Amount;
  /** There already, by an earlier run of the same. */
  readonly present: Amount;
  /** Copies by what they were held against. */
  readonly checked: Readonly<Record<Check, number>>;
  readonly unsaved: { readonly count: number; readonly some: readonly UnsavedObject[]; readonly file: string | undefined };
  /** Of a dry run. */
  readonly estimate: Estimate | undefined;
  readonly seconds: number;
}

/** After so many failures in a row it is not the objects' fault. */
const mostInARow = 20;
const tries = 2;

/**
 * Copies a backend as it was at a time to a clean place, from the versions that a thief with the writer's credentials
 * could not take away. Memory does not grow with the number of objects or versions; started again, it goes on where it
 * stopped. An object that cannot be saved is named, and the others go on.
 */
export async function rescueStorage(context: RunContext, request: RescueRequest): Promise<Rescue> {
  const begun = performance.now();
  const { at, dryRun = false } = request;
  const source = sourceConfig(context, request.backend, at);
  const target = targetConfig(context, source, request.to);
  const buckets = await openBuckets(source);
  const unsaved = new Unsaved(context.config.workDirectory, context.clock.now());
  try {
    const { sample, ...found } = await survey(buckets, at, { signal: context.signal, onFound: (objects) => context.report({ step: `list ${source.name} as it was at ${at.toISOString()}`, done: objects }) });
    if (found.objects === 0) throw nothingFound(source, at, found);
    const common = { dryRun, backend: source.name, at: at.toISOString(), to: target.uri, found };
    if (dryRun) {
      const expected = await estimate({ ...found, sample }, context.signal);
      return { ...common, copied: none, present: none, checked: unchecked, unsaved: { count: 0, some: [], file: undefined }, estimate: expected, seconds: secondsSince(begun) };
    }
    const open = await openTarget(context, target);
    try {
      const isResumed = await beginOrGoOn(open.backend, { source, at });
      if (!isResumed) await refuseWithoutRoom(open, found);
      const counts = await copyAll(context, { buckets, open, source, isResumed, total: found.bytes, within: target.kind === "s3" && sameStore(source, target.config), at }, unsaved);
      context.report({ step: "hold the catalog's records against what was copied" });
      for await (const { key, record, why } of missingObjects(open.backend, source.name)) await unsaved.add({ key, record, why });
      await open.finish();
      const result: Rescue = { ...common, ...counts, unsaved: { count: unsaved.count, some: unsaved.some, file: unsaved.file }, estimate: undefined, seconds: secondsSince(begun) };
      await writeResult(open.backend, result);
      return result;
    } finally {
      open.close();
    }
  } finally {
    await unsaved.close();
    for (const bucket of buckets) bucket.close();
  }
}

const none: Amount = { objects: 0, bytes: 0 };
const unchecked: Readonly<Record<Check, number>> = { sha256: 0, md5: 0, size: 0 };

/** A backend may be of two buckets (TieredBackend). */
async function openBuckets(source: S3BackendConfig): Promise<VersionedBucket[]> {
  const names = new Set([source.bucket, ...(source.shortLived === undefined ? [] : [source.shortLived.bucket])]);
  return Promise.all([...names].map((bucket) => VersionedBucket.open({ ...source, bucket })));
}

function nothingFound({ name, bucket }: S3BackendConfig, at: Date, { later, deleted, keepsVersions }: Omit<Survey, "sample">): DrError {
  const rest = `${later.toLocaleString("en")} keys were written since, ${deleted.toLocaleString("en")} were deleted before`;
  return new DrError({ kind: "failed", what: `nothing that is left was in force at ${at.toISOString()}: ${rest}${keepsVersions ? "" : ", and the store keeps no versions"}`, where: `backend ${name}, bucket ${bucket}`, todo: "Look whether the time is right, and whether these credentials may list versions; otherwise use another backend." });
}

async function refuseWithoutRoom({ backend }: RescueTarget, { bytes }: Amount): Promise<void> {
  const room = await backend.available();
  if (room === undefined || room >= bytes) return;
  throw new DrError({ kind: "refused", what: `${bytes.toLocaleString("en")} bytes are to be copied, and there is room for ${room.toLocaleString("en")}`, where: backend.uri(""), todo: "Name a place with room for all of it." });
}

interface CopyAll {
  readonly buckets: readonly VersionedBucket[];
  readonly open: RescueTarget;
  readonly source: S3BackendConfig;
  readonly isResumed: boolean;
  readonly total: number;
  readonly within: boolean;
  readonly at: Date;
}

async function copyAll(context: RunContext, { buckets, open, isResumed, total, within, at }: CopyAll, unsaved: Unsaved): Promise<Pick<Rescue, "copied" | "present" | "checked">> {
  const { signal } = context;
  const copied = { ...none };
  const present = { ...none };
  const checked = { ...unchecked };
  const sums = new RecordedSums(open.backend);
  const lanes = new Lanes();
  let inARow = 0;
  const one = async (from: VersionedBucket, content: StoredVersion): Promise<void> => {
    try {
      const isThere = isResumed && (await open.head(content.key))?.bytes === content.bytes;
      const amount = isThere ? present : copied;
      if (!isThere) checked[await persistently(signal, async () => copyVersion({ from, to: open, content, sha256: await sums.of(content.key), within, signal }))] += 1;
      inARow = 0;
      add(amount, content.bytes);
      context.report({ step: `copy to ${open.backend.uri("")}`, done: copied.bytes + present.bytes, total, unit: "bytes" });
    } catch (error) {
      signal.throwIfAborted();
      inARow += 1;
      if (inARow >= mostInARow || kindOf(error) === "interrupted") throw error;
      await unsaved.add({ key: content.key, why: messageOf(error) });
    }
  };
  try {
    for await (const { bucket, fate } of fatesIn(buckets, at)) {
      signal.throwIfAborted();
      if (fate.kind === "lost") await unsaved.add({ key: fate.key, why: "only a deletion since then is left of it" });
      if (fate.kind === "saved") await lanes.begin(fate.content.bytes, () => one(bucket, fate.content));
    }
    await lanes.end();
  } finally {
    await lanes.settle();
  }
  return { copied, present, checked };
}

function add(amount: { objects: number; bytes: number }, bytes: number): void {
  amount.objects += 1;
  amount.bytes += bytes;
}

/** A connection that broke off is no reason to leave an object behind. */
async function persistently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (left <= 1) throw error;
    }
  }
}

import { addAbortSignal } from "node:stream";
import { catalogPrefix, leasesPrefix } from "../../../plan/layout.ts";
import { secondsSince } from "../../system/clock.ts";
import type { VersionedBucket } from "./bucket.ts";
import type { Fate, StoredVersion } from "./choice.ts";

export interface Found {
  readonly bucket: VersionedBucket;
  readonly fate: Fate;
}

/**
 * What became of every key of the buckets. The catalog's records come first: they say what the other objects must be.
 * Leases are left behind: whoever held one then holds none now.
 */
export async function* fatesIn(buckets: readonly VersionedBucket[], at: Date): AsyncGenerator<Found, void> {
  for (const bucket of buckets) for await (const fate of bucket.fates(catalogPrefix, at)) yield { bucket, fate };
  for (const bucket of buckets) {
    for await (const fate of bucket.fates("", at)) if (![catalogPrefix, leasesPrefix].some((prefix) => fate.key.startsWith(prefix))) yield { bucket, fate };
  }
}

export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

export interface Survey extends Amount {
  /** By the first folder of the key. */
  readonly folders: Readonly<Record<string, Amount>>;
  /** Keys that were deleted before the time, that only came after it, and that are gone for good. */
  readonly deleted: number;
  readonly later: number;
  readonly lost: number;
  /** `false`: the store keeps no versions, so only what nobody wrote since the time can be saved. */
  readonly keepsVersions: boolean;
  /** Some of the contents, each as likely as any other. */
  readonly sample: readonly { readonly bucket: VersionedBucket; readonly content: StoredVersion }[];
}

/** Contents that a rate is measured by. */
const sampled = 24;
const folderOf = (key: string): string => (key.includes("/") ? key.slice(0, key.indexOf("/") + 1) : "(no folder)");

/** Lists everything once, and copies nothing. `random`: from 0 to below 1. */
export async function survey(buckets: readonly VersionedBucket[], at: Date, { signal, onFound, random = Math.random }: { readonly signal: AbortSignal; readonly onFound: (objects: number) => void; readonly random?: () => number }): Promise<Survey> {
  const folders = new Map<string, { objects: number; bytes: number }>();
  const counts = { objects: 0, bytes: 0, deleted: 0, later: 0, lost: 0 };
  const sample: { bucket: VersionedBucket; content: StoredVersion }[] = [];
  for await (const { bucket, fate } of fatesIn(buckets, at)) {
    signal.throwIfAborted();
    if (fate.kind !== "saved") {
      counts[fate.kind] += 1;
      continue;
    }
    const { content } = fate;
    counts.objects += 1;
    counts.bytes += content.bytes;
    const folder = folders.get(folderOf(fate.key)) ?? { objects: 0, bytes: 0 };
    folders.set(folderOf(fate.key), { objects: folder.objects + 1, bytes: folder.bytes + content.bytes });
    // Reservoir sampling: the list is seen once, and its length is known at its end.
    const place = sample.length < sampled ? sample.length : Math.floor(random() * counts.objects);
    if (place < sampled) sample[place] = { bucket, content };
    onFound(counts.objects);
  }
  return { ...counts, folders: Object.fromEntries(folders), sample, keepsVersions: buckets.some(({ keepsVersions }) => keepsVersions) };
}

/** Bytes that are read of one object of the sample at the most. */
const mostRead = 8 * 1024 ** 2;
/** Below this a time is that of asking, and no rate is taken from it. */
const leastRead = 1024 ** 2;

export interface Estimate {
  /** Measured by reading `read` bytes of `sampled` objects, all at once; `undefined`: too little was there to tell. */
  readonly bytesPerSecond: number | undefined;
  readonly objectsPerSecond: number;
  readonly sampled: number;
  readonly read: number;
  /** For asking for each and reading all, at those rates; what the target takes to write is not in it. */
  readonly seconds: number;
}

/** How long the reading will take, from what reading a sample takes now. `undefined` where there is nothing to read. */
export async function estimate({ sample, objects, bytes }: Survey, signal: AbortSignal): Promise<Estimate | undefined> {
  if (sample.length === 0) return undefined;
  const asking = performance.now();
  await Promise.all(sample.map((one) => readStart(one, 1, signal)));
  const objectsPerSecond = sample.length / secondsSince(asking);
  const reading = performance.now();
  const read = (await Promise.all(sample.map((one) => readStart(one, mostRead, signal)))).reduce((sum, amount) => sum + amount, 0);
  const took = secondsSince(reading);
  const bytesPerSecond = read < leastRead ? undefined : read / took;
  return { bytesPerSecond, objectsPerSecond, sampled: sample.length, read, seconds: objects / objectsPerSecond + (bytesPerSecond === undefined ? 0 : bytes / bytesPerSecond) };
}

async function readStart({ bucket, content }: Survey["sample"][number], length: number, signal: AbortSignal): Promise<number> {
  if (content.bytes === 0) return 0;
  const { body } = await bucket.get(content, { range: { offset: 0, length: Math.min(length, content.bytes) }, signal });
  let read = 0;
  for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Uint8Array>) read += chunk.length;
  return read;
}

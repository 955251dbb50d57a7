/** Whether an object says the same on both sides, byte by byte, in bounded memory. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { ObjectBucket } from "./bucket.ts";
import { md5Of, type Entry } from "./entry.ts";
import type { Place } from "./restored-content.ts";

/** Of a large object so much is read at its beginning and at its end; in bytes. */
const most = 32 * 1024 ** 2;

export interface Comparison {
  /** Read from the copy. */
  readonly bytes: number;
  /** What is wrong; absent where nothing is. */
  readonly error?: string;
  /** Whether the original was read beside it: not where it is another one by now, or out of reach. */
  readonly against: "source" | "record" | "nothing";
}

interface Ends {
  readonly offset: number;
  readonly length: number;
}

const endsOf = (bytes: number): readonly Ends[] => (bytes <= 2 * most ? [{ offset: 0, length: bytes }] : [{ offset: 0, length: most }, { offset: bytes - most, length: most }]);

/** `source` is absent where it cannot be read, or has another content by now. */
export async function compareObject(entry: Entry, copy: { readonly bucket: ObjectBucket; readonly place: Place }, source: ObjectBucket | undefined, signal: AbortSignal): Promise<Comparison> {
  const md5 = createHash("md5");
  let bytes = 0;
  const isWhole = entry.bytes <= 2 * most;
  for (const range of entry.bytes === 0 ? [] : endsOf(entry.bytes)) {
    const part = isWhole ? {} : { range };
    const [ours, theirs] = await Promise.all([copy.bucket.get(copy.place.key, { version: copy.place.version, signal, ...part }), source?.get(entry.key, { signal, ...part })]);
    const found = await readBoth(ours.body, theirs?.body, (chunk) => md5.update(chunk));
    bytes += found.bytes;
    if (found.differsAt !== undefined) return { bytes, error: `differs from the source at byte ${range.offset + found.differsAt}`, against: "source" };
    if (found.bytes !== range.length) return { bytes, error: `has ${found.bytes} bytes where ${range.length} are expected`, against: source === undefined ? "record" : "source" };
  }
  if (source !== undefined) return { bytes, against: "source" };
  const expected = isWhole ? md5Of(entry.etag) : undefined;
  if (expected === undefined) return { bytes, against: "nothing" };
  const digest = md5.digest("hex");
  return digest === expected ? { bytes, against: "record" } : { bytes, error: `its MD5 is ${digest}, and the source's was ${expected}`, against: "record" };
}

async function readBoth(ours: Readable, theirs: Readable | undefined, onChunk: (chunk: Buffer) => void): Promise<{ readonly bytes: number; readonly differsAt: number | undefined }> {
  const other = theirs === undefined ? undefined : new ByteSource(theirs);
  let bytes = 0;
  try {
    for await (const chunk of ours as AsyncIterable<Buffer>) {
      onChunk(chunk);
      const beside = await other?.take(chunk.length);
      if (beside !== undefined && !beside.equals(chunk)) return { bytes, differsAt: bytes + chunk.findIndex((byte, i) => byte !== beside[i]) };
      bytes += chunk.length;
    }
    const more = await other?.take(1);
    return { bytes, differsAt: more !== undefined && more.length > 0 ? bytes : undefined };
  } finally {
    ours.destroy();
    theirs?.destroy();
  }
}

/** A stream that is read in pieces of the reader's own length. */
class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Fewer at the end. */
  async take(length: number): Promise<Buffer> {
    while (this.#rest.length < length) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#rest = Buffer.concat([this.#rest, next.value]);
    }
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }
}

/**
 * Cuts a stream where its content says so (FastCDC: Xia et al., USENIX ATC 2016), so that a file which grew in its
 * middle is cut at the same places before and behind it: what did not change is stored once. Pure.
 */
import { createHash } from "node:crypto";

/** Bytes of a chunk: at least, about, at the most. A hundred thousand chunks are 100 GB, and their list a few megabytes. */
export interface ChunkSizes {
  readonly least: number;
  readonly usual: number;
  readonly most: number;
}
export const chunkSizes: ChunkSizes = { least: 256 * 1024, usual: 1024 ** 2, most: 4 * 1024 ** 2 };

/** A fixed number for each byte; changing one would cut everything anew. */
const gear = Uint32Array.from({ length: 256 }, (_, byte) => createHash("sha256").update(`gear ${byte}`).digest().readUInt32LE(0));

/** `bits` ones at the top, where a 32-bit gear hash has seen the most bytes. */
const mask = (bits: number): number => (0xffff_ffff << (32 - bits)) >>> 0;

/** Where the chunk that begins at `start` ends. Harder to end before the usual size, easier behind it: sizes stay close. */
export function cutAt(bytes: Uint8Array, start: number, end: number, { least, usual, most }: ChunkSizes = chunkSizes): number {
  const limit = Math.min(end, start + most);
  if (limit - start <= least) return limit;
  const bits = Math.round(Math.log2(usual));
  const [hard, easy] = [mask(bits + 1), mask(bits - 1)];
  const turn = Math.min(limit, start + usual);
  let hash = 0;
  let at = start + least;
  for (; at < turn; at += 1) {
    hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) >>> 0;
    if ((hash & hard) === 0) return at + 1;
  }
  for (; at < limit; at += 1) {
    hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) >>> 0;
    if ((hash & easy) === 0) return at + 1;
  }
  return limit;
}

/** The chunks of a stream, in order; at most two chunks' bytes are in memory. */
export async function* chunksOf(source: AsyncIterable<Uint8Array>, sizes: ChunkSizes = chunkSizes): AsyncGenerator<Buffer, void> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < 2 * sizes.most) continue;
    const joined = Buffer.concat(waiting);
    let start = 0;
    // A chunk is only cut where its end cannot depend on what is still to come.
    while (joined.length - start >= sizes.most) {
      const end = cutAt(joined, start, joined.length, sizes);
      yield joined.subarray(start, end);
      start = end;
    }
    waiting = [joined.subarray(start)];
    bytes = joined.length - start;
  }
  const rest = Buffer.concat(waiting);
  for (let start = 0; start < rest.length; ) {
    const end = cutAt(rest, start, rest.length, sizes);
    yield rest.subarray(start, end);
    start = end;
  }
}

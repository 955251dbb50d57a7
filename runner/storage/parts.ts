import type { Readable } from "node:stream";
import { StorageError } from "./faults.ts";

const mebibyte = 1024 ** 2;
/** S3's and R2's limit of parts in one upload. */
export const mostParts = 10_000;
/** S3's and R2's least; several are in memory at once. */
const leastPart = 5 * mebibyte;
/** Where nobody says how much will come: room for 78 GiB. */
const unknownPart = 8 * mebibyte;
/** What encryption and a grown file may add to the bytes that were announced. */
const slack = 1.05;

/** The length of every part but the last (R2 wants them equal), in bytes. */
export function partLength(expectedBytes: number | undefined): number {
  if (expectedBytes === undefined) return unknownPart;
  return Math.max(leastPart, Math.ceil((expectedBytes * slack) / mostParts / mebibyte) * mebibyte);
}

export interface Part {
  readonly number: number;
  readonly data: Buffer;
  readonly last: boolean;
  /** Gives the part's memory back; nobody may look at `data` afterwards. */
  release(): void;
}

/**
 * Cuts a stream into parts of equal length. At most `held` of them are in memory: it waits for a release before it
 * fills the next. Buffers are used again, as thousands of big ones outrun the garbage collector.
 */
export async function* cut(source: Readable, length: number, held: number, where: string): AsyncGenerator<Part, undefined> {
  const pool = new BufferPool(length, held);
  let number = 1;
  let filled = 0;
  let buffer = await pool.take();
  const part = (last: boolean): Part => {
    const data = buffer;
    return { number, data: data.subarray(0, filled), last, release: () => pool.give(data) };
  };
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    let taken = 0;
    while (taken < chunk.length) {
      if (filled === length) {
        yield part(false); // only now: a full part that nothing follows is the last one
        if (number === mostParts) throw new StorageError("other", `more bytes came than ${mostParts} parts of ${length / mebibyte} MiB hold; announce the size (expectedBytes)`, where);
        number += 1;
        filled = 0;
        buffer = await pool.take();
      }
      const end = Math.min(chunk.length, taken + length - filled);
      buffer.set(chunk.subarray(taken, end), filled);
      filled += end - taken;
      taken = end;
    }
  }
  yield part(true);
}

class BufferPool {
  readonly #length: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #unmade: number;

  constructor(length: number, count: number) {
    this.#length = length;
    this.#unmade = count;
  }

  take(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return Promise.resolve(Buffer.allocUnsafeSlow(this.#length)); // untouched pages cost nothing: a small object stays small
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}

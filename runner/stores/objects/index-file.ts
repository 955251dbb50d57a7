/** Files of the index: lines of JSON, compressed. Not encrypted: they say no more than a listing of the bucket. */
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip, gzipSync } from "node:zlib";
import { DrError, messageOf } from "../../errors.ts";
import { parseLine, toLine, type Entry } from "./entry.ts";

export const compressEntries = (entries: readonly Entry[]): Buffer => gzipSync(entries.map(toLine).join(""), { level: 6 });

/** @throws DrError where the file is cut off, changed, or not in the index's form */
export async function* readEntries(compressed: Readable, where: string): AsyncGenerator<Entry, void> {
  const unpacked = createGunzip();
  compressed.once("error", (error) => unpacked.destroy(error));
  compressed.pipe(unpacked);
  let rest = "";
  try {
    for await (const chunk of unpacked.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield parseLine(line, where);
    }
  } catch (cause) {
    throw cause instanceof DrError ? cause : new DrError({ kind: "failed", what: `the index of the objects cannot be read: ${messageOf(cause)}`, where, todo: "An older base of the index is used where there is one; `dr backup objects sync --full` writes a new one.", cause });
  } finally {
    compressed.destroy();
  }
  if (rest !== "") throw new DrError({ kind: "failed", what: "the index of the objects is cut off", where, todo: "Use an older one." });
}

export const readEntriesOfFile = (path: string, where: string): AsyncGenerator<Entry, void> => readEntries(createReadStream(path), where);

export interface IndexTotals {
  readonly objects: number;
  readonly bytes: number;
}

/** Writes a whole state into a file, and says how much of it is live. */
export async function writeEntriesToFile(entries: AsyncIterable<Entry>, path: string): Promise<IndexTotals> {
  let [objects, bytes] = [0, 0];
  async function* lines(): AsyncGenerator<string> {
    for await (const entry of entries) {
      if (entry.deleted === undefined) [objects, bytes] = [objects + 1, bytes + entry.bytes];
      yield toLine(entry);
    }
  }
  await pipeline(Readable.from(batched(lines()), { objectMode: false }), createGzip({ level: 6 }), createWriteStream(path, { mode: 0o600 }));
  return { objects, bytes };
}

/** Lines in pieces of some size: a stream's step for each of a million would be most of the work. */
async function* batched(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const line of lines) {
    piece += line;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Writes a tar file as a stream, from sources that are read one after the other: nothing of it lies on a disk. */
import { DrError } from "../errors.ts";

export interface TarEntry {
  /** Relative, `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
  /** Read when its turn comes. */
  open(): Promise<AsyncIterable<Uint8Array>>;
}

const block = 512;
const padding = (bytes: number): Buffer => Buffer.alloc((block - (bytes % block)) % block);

function header(path: string, bytes: number, type: "0" | "x"): Buffer {
  const buffer = Buffer.alloc(block);
  buffer.write(path.slice(0, 100), 0, "utf8");
  buffer.write("0000600\0", 100); // mode
  buffer.write("0000000\0", 108); // owner
  buffer.write("0000000\0", 116); // group
  // Octal digits hold 8 GiB; what is larger stands in the entry of type x before it.
  buffer.write(`${(bytes >= 8 ** 11 ? 0 : bytes).toString(8).padStart(11, "0")}\0`, 124);
  buffer.write("00000000000\0", 136); // no time: the record has it
  buffer.write("        ", 148); // the checksum's own place counts as blanks
  buffer.write(type, 156);
  buffer.write("ustar\x0000", 257);
  const sum = buffer.reduce((total, byte) => total + byte, 0);
  buffer.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return buffer;
}

/** One line of a POSIX extended header: its length, which counts itself, a name and a value. */
function extended(name: string, value: string): string {
  const rest = Buffer.byteLength(` ${name}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${name}=${value}\n`;
}

/** Bytes of the whole file. */
export function tarBytes(entries: readonly Pick<TarEntry, "path" | "bytes">[]): number {
  return entries.reduce((sum, { bytes }) => sum + 4 * block + Math.ceil(bytes / block) * block, 2 * block);
}

/** @throws DrError where a source has more or fewer bytes than it was said to have */
export async function* tar(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const { path, bytes } = entry;
    const lines = Buffer.from(extended("path", path) + extended("size", String(bytes)));
    yield Buffer.concat([header("././@PaxHeader", lines.length, "x"), lines, padding(lines.length), header(path, bytes, "0")]);
    let written = 0;
    for await (const chunk of await entry.open()) {
      written += chunk.length;
      if (written > bytes) break;
      yield chunk;
    }
    if (written !== bytes) throw new DrError({ kind: "failed", what: `it has ${written > bytes ? "more than " : ""}${Math.min(written, bytes)} of ${bytes} bytes`, where: path, todo: "See whether something rewrote it meanwhile; then start again." });
    yield padding(bytes);
  }
  yield Buffer.alloc(2 * block);
}

import { open, readdir, rm, type FileHandle } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { CheckpointedKey } from "./block.ts";

const headerBytes = 16;
const flushBytes = 1024 ** 2;
/** Offset, length, and the place of the same agent's key before. */
const fieldsPerPlace = 3;
const none = -1;
const prefix = ".spool-";

/**
 * Working memory, read whole before PostgreSQL is, waits here: SCAN gives keys in no order, and 300,000 agents' would
 * not fit into memory. The file loses its name before anything is in it, so that nothing readable is left whatever
 * happens.
 */
export class RedisSpool {
  readonly #file: FileHandle;
  /** Per agent: where the last of its keys stands; each place names the one before it. */
  readonly #places = new Map<string, number>();
  #table = new Float64Array(fieldsPerPlace * 1_024);
  #count = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #end = 0;

  static async open(folder: string): Promise<RedisSpool> {
    // A process that was killed in between left an empty one; another that is at work loses nothing with its name.
    for (const name of await readdir(folder)) if (name.startsWith(prefix)) await rm(join(folder, name), { force: true });
    const path = join(folder, `${prefix}${randomBytes(6).toString("hex")}`);
    const file = await open(path, "wx+", 0o600);
    await rm(path, { force: true });
    return new RedisSpool(file);
  }

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Those whose keys nobody has taken yet. */
  agents(): IterableIterator<string> {
    return this.#places.keys();
  }

  async add(agent: string, key: string, expiresAt: number | null, dump: Buffer): Promise<void> {
    const name = Buffer.from(key);
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(name.length, 0);
    header.writeUInt32LE(dump.length, 4);
    header.writeDoubleLE(expiresAt ?? -1, 8);
    const length = headerBytes + name.length + dump.length;
    this.#places.set(agent, this.#enter(this.#end, length, this.#places.get(agent) ?? none));
    this.#pending.push(header, name, dump);
    this.#pendingBytes += length;
    this.#end += length;
    if (this.#pendingBytes >= flushBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const all = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#file.appendFile(all);
  }

  /** The keys of an agent, each once: SCAN may give a key twice, and the later look counts. Asked again, it has none. */
  async take(agent: string): Promise<CheckpointedKey[]> {
    const last = this.#places.get(agent) ?? none;
    this.#places.delete(agent);
    const found = new Map<string, CheckpointedKey>();
    for (let place = last; place !== none; ) {
      const [offset = 0, length = 0, before = none] = this.#table.subarray(place * fieldsPerPlace);
      const key = await this.#read(offset, length);
      if (!found.has(key.key)) found.set(key.key, key); // the later looks come first
      place = before;
    }
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** A table of numbers: 300,000 small arrays take five times as much memory. */
  #enter(offset: number, length: number, before: number): number {
    const at = this.#count * fieldsPerPlace;
    if (at === this.#table.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#table);
      this.#table = larger;
    }
    this.#table.set([offset, length, before], at);
    return this.#count++;
  }

  async #read(offset: number, length: number): Promise<CheckpointedKey> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#file.read(bytes, 0, length, offset);
    if (bytesRead !== length) throw new RangeError(`the spool ended ${length - bytesRead} bytes early`);
    const nameEnd = headerBytes + bytes.readUInt32LE(0);
    const expiresAt = bytes.readDoubleLE(8);
    return { key: bytes.toString("utf8", headerBytes, nameEnd), expiresAt: expiresAt < 0 ? null : expiresAt, dump: bytes.toString("base64", nameEnd) };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

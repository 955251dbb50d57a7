import { open, unlink, type FileHandle } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { CheckpointedKey } from "./block.ts";

const headerBytes = 16;
const flushBytes = 1024 ** 2;

/**
 * Working memory, read whole before PostgreSQL is, waits here: SCAN gives keys in no order, and 300,000 agents' would
 * not fit into memory. The file has no name from the start, so that nothing readable is left whatever happens.
 */
export class RedisSpool {
  readonly #file: FileHandle;
  /** Per agent: offset and length of each of its keys, flat. */
  readonly #places = new Map<string, number[]>();
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #end = 0;

  static async open(folder: string): Promise<RedisSpool> {
    const path = join(folder, `.spool-${randomBytes(6).toString("hex")}`);
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
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
    const places = this.#places.get(agent);
    if (places === undefined) this.#places.set(agent, [this.#end, length]);
    else places.push(this.#end, length);
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
    const places = this.#places.get(agent) ?? [];
    this.#places.delete(agent);
    const found = new Map<string, CheckpointedKey>();
    for (let index = 0; index < places.length; index += 2) {
      const key = await this.#read(places[index] ?? 0, places[index + 1] ?? 0);
      found.set(key.key, key);
    }
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
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

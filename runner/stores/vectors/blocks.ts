import { createHash } from "node:crypto";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { decryptBytes } from "../../encryption/openpgp.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { ByteRange, StorageBackend } from "../../storage/backend.ts";
import { manifestKey, parseManifest, type Manifest } from "./manifest.ts";
import { sha256Of, type Block } from "./pack.ts";

/** Blocks on their way at once: latency is what costs, and each is a few megabytes at the most. */
const ahead = 8;

/** Reads the pieces of a backup: from the first backend where a piece is whole, remembering where one was not. */
export class BlockReader {
  /** Bytes read, encrypted. */
  bytes = 0;
  /** Backends whose copy could not be used for something, with the first reason of each. */
  readonly rejected = new Map<string, string>();
  readonly #context: RunContext;
  readonly #backends: readonly StorageBackend[];

  constructor(context: RunContext, backends: readonly StorageBackend[]) {
    this.#context = context;
    this.#backends = backends;
  }

  /** An object that is one message, checked against its record. */
  async object({ key, bytes, sha256 }: StoredObject): Promise<Buffer> {
    return this.#fromAny(key, undefined, (message) => {
      const found = sha256Of(message);
      if (message.length !== bytes || found !== sha256) throw new Error(`${key} is damaged: its sha256 is ${found}, the record says ${sha256}`);
    });
  }

  async block({ object, offset, length, bytes, sha256 }: Block): Promise<Buffer> {
    return this.#fromAny(object, { offset, length }, undefined, (plain) => {
      if (plain.length !== bytes || sha256Of(plain) !== sha256) throw new Error(`${object} is damaged: what stands at byte ${offset} is not what was written`);
    });
  }

  /** Blocks in order, a few of them fetched ahead. */
  async *blocks(wanted: readonly Block[]): AsyncGenerator<Buffer, void> {
    const queue: Promise<Buffer>[] = [];
    let next = 0;
    const fill = () => {
      for (let block = wanted[next]; queue.length < ahead && block !== undefined; block = wanted[next]) {
        next += 1;
        const fetched = this.block(block);
        fetched.catch(() => undefined); // thrown where it is awaited
        queue.push(fetched);
      }
    };
    fill();
    for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
      yield await first;
      fill();
    }
  }

  async #fromAny(key: string, range: ByteRange | undefined, checkMessage?: (message: Buffer) => void, checkPlain?: (plain: Buffer) => void): Promise<Buffer> {
    const passphrase = await this.#context.passphrase();
    const reasons: string[] = [];
    let last: unknown;
    for (const backend of this.#backends) {
      try {
        const message = await this.#fetch(backend, key, range);
        checkMessage?.(message);
        const plain = await decryptBytes(message, passphrase);
        checkPlain?.(plain);
        return plain;
      } catch (error) {
        this.#context.signal.throwIfAborted();
        last = error;
        const reason = `${backend.uri(key)}${range === undefined ? "" : `, byte ${range.offset}`}: ${messageOf(error)}`;
        reasons.push(reason);
        if (!this.rejected.has(backend.name)) {
          this.rejected.set(backend.name, reason);
          this.#context.report({ step: `a piece in ${backend.name} cannot be used: ${reason}` });
        }
      }
    }
    throw new DrError({ kind: "failed", what: `no copy of a piece of the backup can be used: ${reasons.join("; ")}`, where: key, todo: "Correct what is named, or choose another backup (`dr catalog list`).", cause: last });
  }

  async #fetch(backend: StorageBackend, key: string, range: ByteRange | undefined): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of (await backend.get(key, range, this.#context.signal)) as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
    }
    if (range !== undefined && bytes !== range.length) throw new Error(`${key} is damaged: ${bytes} bytes came where ${range.length} are`);
    this.bytes += bytes;
    return Buffer.concat(parts);
  }
}

/** The backends of a record: those whose copy stands first, the others after them, as a piece may stand there too. */
export function backendsOf({ backends }: RunContext, record: BackupRecord): StorageBackend[] {
  const standing = new Set(record.copies.flatMap((copy) => (copy.status === "ok" ? [copy.backend] : [])));
  return [...backends.filter(({ name }) => standing.has(name)), ...backends.filter(({ name }) => !standing.has(name))];
}

export async function readManifest(reader: BlockReader, record: BackupRecord): Promise<Manifest> {
  const object = record.objects.find(({ key }) => key === manifestKey(record.id));
  if (object === undefined) throw new DrError({ kind: "failed", what: "the record names no manifest", where: record.id, todo: "Choose another backup." });
  return parseManifest(await reader.object(object), record);
}

/** Counts and hashes what runs through. */
export class Meter {
  bytes = 0;
  readonly #hash = createHash("sha256");

  async *of(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const piece of source) {
      this.bytes += piece.length;
      this.#hash.update(piece);
      yield piece;
    }
  }

  /** Once, at the end. */
  sha256(): string {
    return this.#hash.digest("hex");
  }
}

import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import type { CopyResult, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { encryptBytes } from "../../encryption/openpgp.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { writeToAll, type FanOutResult } from "../../storage/fan-out.ts";

/** A piece of data as it is stored: an OpenPGP message of its own inside an object, read by range. */
export interface Block {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  /** Of the data itself. */
  readonly bytes: number;
  readonly sha256: string;
}

/** Bytes after which an object is closed: few objects a backup, each far below what one upload may be. */
const packBytes = 256 * 1024 ** 2;

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

interface OpenPack {
  readonly key: string;
  readonly source: PassThrough;
  readonly done: Promise<FanOutResult>;
  offset: number;
}

/**
 * Writes a backup's objects to every backend: blocks go one behind the other into packs, encrypted before anything
 * leaves memory. A backend that fails has failed for the whole backup and is given no more; the others go on.
 */
export class PackWriter {
  readonly objects: StoredObject[] = [];
  readonly #context: RunContext;
  readonly #id: string;
  readonly #failed = new Map<string, CopyResult>();
  readonly #written = new Map<string, { bytes: number; seconds: number }>();
  #pack: OpenPack | undefined;
  #packs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: RunContext, id: string) {
    this.#context = context;
    this.#id = id;
  }

  /** Bytes stored by this backup, encrypted. */
  get bytes(): number {
    return this.objects.reduce((sum, object) => sum + object.bytes, this.#pack?.offset ?? 0);
  }

  /** Several may add at once: each is encrypted by itself, and they are written in turn. */
  async add(plain: Buffer, options: { readonly compress?: boolean } = {}): Promise<Block> {
    const message = await encryptBytes(plain, await this.#context.passphrase(), { filename: "vectors", ...options });
    const written = this.#turn.then(() => this.#append(message));
    this.#turn = written.catch(() => undefined); // whoever added it has the error
    const { object, offset } = await written;
    return { object, offset, length: message.length, bytes: plain.length, sha256: sha256Of(plain) };
  }

  /** An object of its own. */
  async put(name: string, plain: Buffer): Promise<StoredObject> {
    const message = await encryptBytes(plain, await this.#context.passphrase(), { filename: name, compress: true });
    const key = `vectors/${this.#id}/${name}.pgp`;
    const source = new PassThrough();
    source.end(message);
    return this.#take(key, await writeToAll(this.#standing(), key, source, { expectedBytes: message.length, signal: this.#context.signal }));
  }

  /** Closes the object that is being written. */
  async flush(): Promise<void> {
    await this.#turn;
    const pack = this.#pack;
    if (pack === undefined) return;
    this.#pack = undefined;
    pack.source.end();
    this.#take(pack.key, await pack.done);
  }

  /** The backup came to nothing: what is on its way is withdrawn, and what is whole already goes, where it may. */
  async abandon(reason: unknown): Promise<void> {
    await this.#turn;
    const pack = this.#pack;
    this.#pack = undefined;
    pack?.source.destroy(reason instanceof Error ? reason : new Error(messageOf(reason)));
    await pack?.done.catch(() => undefined); // it ends with the reason that we gave it
    const keys = this.objects.map(({ key }) => key);
    if (keys.length === 0) return;
    await Promise.all(
      this.#context.backends.map((backend) =>
        backend.remove(keys).catch((error: unknown) => this.#context.report({ step: `what the failed backup left in ${backend.name} stays until it expires: ${messageOf(error)}` })),
      ),
    );
  }

  /** A backend lacks something that the backup is made of besides: its copy does not stand. */
  lacks(backend: string, error: string): void {
    if (!this.#failed.has(backend)) this.#failed.set(backend, { backend, status: "failed", error });
  }

  /** One per backend, for the record. `named`: the object that a person is shown. */
  copies(named: string): CopyResult[] {
    return this.#context.backends.map((backend): CopyResult => {
      const { bytes = 0, seconds = 0 } = this.#written.get(backend.name) ?? {};
      return this.#failed.get(backend.name) ?? { backend: backend.name, status: "ok", uri: backend.uri(named), bytes, seconds };
    });
  }

  #standing(): StorageBackend[] {
    const standing = this.#context.backends.filter(({ name }) => !this.#failed.has(name));
    if (standing.length > 0) return standing;
    throw new DrError({ kind: "unavailable", what: `no backend took the backup: ${[...this.#failed.values()].map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: this.#id, todo: "See why each backend failed; then back up again." });
  }

  async #append(message: Buffer): Promise<{ readonly object: string; readonly offset: number }> {
    if (this.#pack !== undefined && this.#pack.offset + message.length > packBytes) await this.#rotate(this.#pack);
    const pack = (this.#pack ??= this.#open());
    const { offset } = pack;
    pack.offset += message.length;
    if (!pack.source.write(message)) await Promise.race([once(pack.source), pack.done]);
    if (pack.source.destroyed) await this.#rotate(pack); // every backend has dropped it, or reading it failed
    return { object: pack.key, offset };
  }

  async #rotate(pack: OpenPack): Promise<void> {
    this.#pack = undefined;
    pack.source.end();
    this.#take(pack.key, await pack.done);
    this.#standing();
  }

  #open(): OpenPack {
    const key = `vectors/${this.#id}/pack-${String(this.#packs).padStart(4, "0")}.pgp`;
    this.#packs += 1;
    const source = new PassThrough({ highWaterMark: 4 * 1024 ** 2 });
    source.on("error", () => undefined); // whoever reads it has the error
    const done = writeToAll(this.#standing(), key, source, { expectedBytes: packBytes, signal: this.#context.signal });
    done.catch(() => undefined); // looked at when the pack is closed
    return { key, source, done, offset: 0 };
  }

  #take(key: string, { bytes, sha256, copies }: FanOutResult): StoredObject {
    const object = { key, bytes, sha256 };
    this.objects.push(object);
    for (const copy of copies) {
      if (copy.status === "failed") this.#failed.set(copy.backend, copy);
      else {
        const before = this.#written.get(copy.backend) ?? { bytes: 0, seconds: 0 };
        this.#written.set(copy.backend, { bytes: before.bytes + copy.bytes, seconds: before.seconds + copy.seconds });
      }
    }
    this.#standing();
    return object;
  }
}

/** Until a stream takes more, or never will. */
const once = (stream: PassThrough): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.once("drain", go).once("close", go);
  });

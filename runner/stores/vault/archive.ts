import { createHash, type Hash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { SealFinder, type SnapshotSeal } from "./seal.ts";
import { StateReader, type StateEntry } from "./state.ts";
import { TarReader } from "./tar.ts";

export interface SnapshotSummary {
  /** Of the whole archive. */
  readonly bytes: number;
  /** Keys of Vault's storage. */
  readonly entries: number;
  /** Of raft's log: what the snapshot reaches to. */
  readonly index: number;
  readonly term: number;
  /** What opens it; `undefined` where it holds no word of that, and so can be opened by nobody. */
  readonly seal: SnapshotSeal | undefined;
}

const metaSchema = z.object({ Index: z.number(), Term: z.number() });
/** The hashes once more, encrypted by the seal. */
const known: ReadonlySet<string> = new Set(["meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed"]);
/** Of the archive's small files. */
const mostText = 64 * 1024;

/**
 * Looks into a raft snapshot as it runs through: a gzipped tar of `meta.json`, `state.bin` and their SHA-256. Where it
 * is not whole the stream ends in an error, and so does whatever is being stored from it. Nothing is kept of it.
 */
export class SnapshotInspector extends Transform {
  readonly #gunzip = createGunzip();
  readonly #unpacked: Promise<void>;
  readonly #where: string;
  readonly #contents: Contents;
  #bytes = 0;
  #summary: SnapshotSummary | undefined;

  /** `onEntry` is told of each key of Vault's storage. */
  constructor(where: string, onEntry?: (entry: StateEntry) => void) {
    super({ highWaterMark: 256 * 1024 });
    this.#where = where;
    this.#contents = new Contents(onEntry);
    this.#unpacked = this.#unpack();
    this.#unpacked.catch(() => undefined); // told at the end, or by the next write
  }

  /** What was seen; only after the end. */
  get summary(): SnapshotSummary {
    if (this.#summary === undefined) throw new Error("the snapshot has not run through yet");
    return this.#summary;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#gunzip.destroyed) {
      this.#unpacked.then(() => done(this.#damaged("something follows its end")), (error: unknown) => done(this.#damaged(messageOf(error))));
      return;
    }
    const go = () => {
      this.#gunzip.off("drain", go).off("close", go);
      done(null, chunk);
    };
    if (this.#gunzip.write(chunk)) done(null, chunk);
    else this.#gunzip.once("drain", go).once("close", go);
  }

  override _flush(done: TransformCallback): void {
    this.#gunzip.end();
    this.#unpacked.then(
      () => {
        this.#summary = { bytes: this.#bytes, ...this.#contents.summary };
        done();
      },
      (error: unknown) => done(this.#damaged(messageOf(error))),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gunzip.destroy();
    done(error);
  }

  async #unpack(): Promise<void> {
    const tar = new TarReader(this.#contents);
    for await (const chunk of this.#gunzip as AsyncIterable<Buffer>) tar.write(chunk);
    tar.end();
    this.#contents.check();
  }

  #damaged(what: string): DrError {
    return new DrError({ kind: "failed", what: `the snapshot is not whole: ${what}`, where: this.#where, todo: "Take another one; where it comes from the server itself, read the server's log." });
  }
}

/** What is in the archive, and whether it fits its hashes. */
class Contents {
  readonly #hashes = new Map<string, Hash>();
  readonly #texts = new Map<string, string>();
  readonly #seal = new SealFinder();
  readonly #state: StateReader;
  #name = "";
  #parts: Buffer[] = [];
  #kept = 0;

  constructor(onEntry: ((entry: StateEntry) => void) | undefined) {
    this.#state = new StateReader((entry) => {
      this.#seal.look(entry);
      onEntry?.(entry);
    });
  }

  begin(name: string): void {
    if (!known.has(name) || this.#hashes.has(name)) throw new RangeError(`it holds the unexpected file ${JSON.stringify(name)}`);
    this.#name = name;
    this.#hashes.set(name, createHash("sha256"));
  }

  data(chunk: Uint8Array): void {
    this.#hashes.get(this.#name)?.update(chunk);
    if (this.#name === "state.bin") {
      this.#state.write(chunk);
      return;
    }
    this.#kept += chunk.length;
    if (this.#kept > mostText) throw new RangeError(`${this.#name} is longer than ${mostText} bytes`);
    this.#parts.push(Buffer.from(chunk));
  }

  end(): void {
    if (this.#name === "state.bin") this.#state.end();
    this.#texts.set(this.#name, Buffer.concat(this.#parts).toString("utf8"));
    [this.#parts, this.#kept] = [[], 0];
  }

  /** As the servers check it: each file has its hash, and each hash its file. */
  check(): void {
    const sums = this.#texts.get("SHA256SUMS");
    if (sums === undefined) throw new RangeError("it has no SHA256SUMS");
    const listed = new Map(sums.trim().split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
    for (const name of ["meta.json", "state.bin"]) {
      const found = this.#hashes.get(name)?.digest("hex");
      if (found === undefined) throw new RangeError(`it has no ${name}`);
      if (found !== listed.get(name)) throw new RangeError(`${name} does not fit SHA256SUMS`);
    }
  }

  get summary(): Omit<SnapshotSummary, "bytes"> {
    const meta = metaSchema.parse(JSON.parse(this.#texts.get("meta.json") ?? ""));
    return { entries: this.#state.count, index: meta.Index, term: meta.Term, seal: this.#seal.found };
  }
}

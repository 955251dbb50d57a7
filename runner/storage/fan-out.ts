import { createHash } from "node:crypto";
import { PassThrough, type Readable } from "node:stream";
import type { CopyResult } from "../catalog/record.ts";
import { DrError, kindOf, messageOf } from "../errors.ts";
import { secondsSince } from "../system/clock.ts";
import type { StorageBackend } from "./backend.ts";
import { StorageError } from "./faults.ts";

/** Seconds without any sign of life after which a backend is given up. */
const defaultStall = 60;
/** What waits in front of a backend beside the parts that it is sending itself, in bytes. */
const buffered = 1024 ** 2;

export interface FanOutOptions {
  /** The most bytes that will come, where it is known. */
  readonly expectedBytes?: number;
  /**
   * A backend that takes nothing for this many seconds is dropped. Default 60. An S3 backend takes a part of at least
   * 5 MiB at a time; once it has taken all, it puts them together within a time of its own.
   */
  readonly stallSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes read from the source so far. */
  readonly onBytes?: (bytes: number) => void;
}

export interface FanOutResult {
  /** Read from the source; where every copy failed, up to then. */
  readonly bytes: number;
  /** Of the bytes as stored, hexadecimal. */
  readonly sha256: string;
  /** One per backend, in their order. */
  readonly copies: CopyResult[];
}

/**
 * Writes one object to every backend from ONE read of the source, in bounded memory: the slowest living backend sets
 * the pace. A backend that fails or stalls is dropped with its error in its copy, and the others go on; where none is
 * left, reading stops and every copy says why. Where the source fails or the signal fires, every upload is withdrawn
 * and the error is thrown: nothing is left that could be taken for a backup.
 */
export async function writeToAll(backends: readonly StorageBackend[], key: string, source: Readable, options: FanOutOptions = {}): Promise<FanOutResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const lanes = backends.map((backend) => new Lane(backend, key, options));
  const interrupt = () => {
    source.destroy(reasonOf(signal));
    for (const lane of lanes) lane.stop(reasonOf(signal));
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      bytes += chunk.length;
      await Promise.all(lanes.map((lane) => lane.give(chunk)));
      options.onBytes?.(bytes);
      if (lanes.every((lane) => lane.gone)) break;
    }
    const copies = await Promise.all(lanes.map((lane) => lane.finish(bytes)));
    signal?.throwIfAborted();
    return { bytes, sha256: hash.digest("hex"), copies };
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.withdraw(error)));
    throw sourceFailure(signal?.aborted === true ? reasonOf(signal) : error, key);
  } finally {
    signal?.removeEventListener("abort", interrupt);
    source.destroy();
  }
}

/** One backend's share of a fan-out: its upload, what waits for it, and when it last took something. */
class Lane {
  readonly #backend: StorageBackend;
  readonly #key: string;
  readonly #stall: number;
  readonly #pipe = new PassThrough({ highWaterMark: buffered });
  readonly #halt = new AbortController();
  readonly #started = performance.now();
  readonly #done: Promise<{ readonly bytes: number } | undefined>;
  #watch: NodeJS.Timeout | undefined;
  #error: unknown;
  #taken = 0;
  #expected = Infinity;
  #failed = false;

  constructor(backend: StorageBackend, key: string, { expectedBytes, stallSeconds = defaultStall }: FanOutOptions) {
    this.#backend = backend;
    this.#key = key;
    this.#stall = stallSeconds;
    this.#pipe.on("error", () => undefined); // whoever put it there has the error already
    this.#done = backend
      .put(key, this.#pipe, { signal: this.#halt.signal, onTaken: (bytes) => this.#alive(bytes), ...(expectedBytes === undefined ? {} : { expectedBytes }) })
      .catch((error: unknown) => {
        this.stop(error);
        return undefined;
      });
  }

  /** Takes nothing any more: it failed, or its upload has ended and only its withdrawal is still on the way. */
  get gone(): boolean {
    return this.#failed || this.#pipe.destroyed;
  }

  /** Resolves when the backend can take more, or will never again. */
  async give(chunk: Uint8Array): Promise<void> {
    if (this.gone || this.#pipe.write(chunk)) return;
    this.#watchOver();
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#pipe.off("drain", go).off("close", go);
        resolve();
      };
      this.#pipe.once("drain", go).once("close", go);
      if (this.#pipe.closed) go();
    });
    this.#rest();
  }

  /** Waits for the end of the upload, and says how it went. */
  async finish(expected: number): Promise<CopyResult> {
    const { name: backend } = this.#backend;
    this.#expected = expected;
    if (!this.gone) {
      this.#pipe.end();
      if (this.#taken < expected) this.#watchOver();
    }
    const stored = await this.#done;
    this.#rest();
    if (stored !== undefined && stored.bytes !== expected) this.stop(new StorageError("other", `it stored ${stored.bytes} of ${expected} bytes`, this.#backend.uri(this.#key)));
    if (stored === undefined || this.#failed) return { backend, status: "failed", error: messageOf(this.#error), kind: kindOf(this.#error) };
    return { backend, status: "ok", uri: this.#backend.uri(this.#key), bytes: stored.bytes, seconds: secondsSince(this.#started) };
  }

  /** The backup is lost: stops the upload and waits until nothing of it is left; removes what was whole already. */
  async withdraw(reason: unknown): Promise<void> {
    this.stop(reason);
    if ((await this.#done) !== undefined) await this.#backend.remove([this.#key]);
  }

  /** Ends the upload; the first reason is the one that counts. */
  stop(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = reason;
    this.#rest();
    this.#halt.abort(reason);
    this.#pipe.destroy(reason instanceof Error ? reason : new Error(messageOf(reason)));
  }

  /** A backend that gives no sign of life from now on is dropped. */
  #watchOver(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.stop(new StorageError("stalled", `it took nothing for ${this.#stall} s`, this.#backend.uri(this.#key))), this.#stall * 1_000);
  }

  /** Nothing is asked of it: a slow source is not its fault. */
  #rest(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #alive(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken >= this.#expected) this.#rest();
    else if (this.#watch !== undefined) this.#watchOver();
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error("interrupted");
}

function sourceFailure(error: unknown, key: string): unknown {
  if (error instanceof DrError || (error instanceof Error && error.name === "AbortError")) return error;
  return new DrError({ kind: "failed", what: `what was to be stored could not be read to its end: ${messageOf(error)}`, where: key, todo: "Look at the store that it comes from; nothing was kept of the unfinished copies.", cause: error });
}

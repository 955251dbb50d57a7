import type { Readable } from "node:stream";
import type { ByteRange, ListedObject, PutOptions, StorageBackend } from "./backend.ts";
import { StorageError } from "./faults.ts";

/**
 * A backend of two buckets, as S3's lock is a bucket's: what is kept for less than the lock lies in one of its own. What
 * is written goes to the main bucket, or by `shortLived` to the other; what is read is found in either. Only keys under
 * the prefixes are ever in the other one, so everything else (records, repositories) costs no second request.
 */
export class TieredBackend implements StorageBackend {
  readonly kind: StorageBackend["kind"];
  readonly name: string;
  readonly shortLived: StorageBackend;
  readonly #main: StorageBackend;
  readonly #short: StorageBackend;
  readonly #prefixes: readonly string[];

  constructor(main: StorageBackend, short: StorageBackend, prefixes: readonly string[]) {
    this.kind = main.kind;
    this.name = main.name;
    this.#main = main;
    this.#short = short;
    this.#prefixes = prefixes;
    this.shortLived = this.#writingTo(short);
  }

  get requests(): number {
    return this.#main.requests + this.#short.requests;
  }

  /** Where a new object would go; where one stands, its record says. */
  uri(key: string): string {
    return this.#main.uri(key);
  }

  put(key: string, source: Readable | Uint8Array, options?: PutOptions): Promise<{ readonly bytes: number }> {
    return this.#main.put(key, source, options);
  }

  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Readable> {
    return this.#either(key, (bucket) => bucket.get(key, range, signal));
  }

  read(key: string, signal?: AbortSignal): Promise<Buffer> {
    return this.#either(key, (bucket) => bucket.read(key, signal));
  }

  async head(key: string): Promise<{ readonly bytes: number; readonly modifiedAt: Date } | undefined> {
    return (await this.#placeOf(key))?.found;
  }

  /** Both buckets' keys in one order. */
  async *list(prefix: string, after?: string): AsyncIterable<ListedObject> {
    const main = this.#main.list(prefix, after);
    yield* this.#mayHold(prefix) ? merged(main, this.#short.list(prefix, after)) : main;
  }

  /** Each where it is: in a versioned bucket, deleting what is not there leaves a marker behind. */
  async remove(keys: readonly string[]): Promise<void> {
    const places = await Promise.all(keys.map(async (key) => (this.#mayHold(key) && (await this.#short.head(key)) !== undefined ? this.#short : this.#main)));
    for (const bucket of [this.#short, this.#main]) {
      const own = keys.filter((_, index) => places[index] === bucket);
      if (own.length > 0) await bucket.remove(own);
    }
  }

  /** The quota is for both. */
  async available(): Promise<number | undefined> {
    const left = await this.#main.available();
    if (left === undefined) return undefined;
    let used = 0;
    for await (const { bytes } of this.#short.list("")) used += bytes;
    return Math.max(0, left - used);
  }

  async check(): Promise<void> {
    await Promise.all([this.#main.check(), this.#short.check()]);
  }

  close(): void {
    this.#main.close();
    this.#short.close();
  }

  /** This backend, whose writes go to `bucket` where the key may lie there. */
  #writingTo(bucket: StorageBackend): StorageBackend {
    const target = (key: string): StorageBackend => (this.#mayHold(key) ? bucket : this.#main);
    const whole = (): number => this.requests;
    return {
      name: this.name,
      kind: this.kind,
      get requests() {
        return whole();
      },
      uri: (key) => target(key).uri(key),
      put: (key, source, options) => target(key).put(key, source, options),
      get: (key, range, signal) => this.get(key, range, signal),
      read: (key, signal) => this.read(key, signal),
      head: (key) => this.head(key),
      list: (prefix, after) => this.list(prefix, after),
      remove: (keys) => this.remove(keys),
      available: () => this.available(),
      check: () => this.check(),
      close: () => undefined, // who opened the whole closes it
    };
  }

  #mayHold(key: string): boolean {
    return this.#prefixes.some((prefix) => key.startsWith(prefix) || prefix.startsWith(key));
  }

  async #placeOf(key: string): Promise<{ readonly bucket: StorageBackend; readonly found: { readonly bytes: number; readonly modifiedAt: Date } } | undefined> {
    for (const bucket of this.#mayHold(key) ? [this.#short, this.#main] : [this.#main]) {
      const found = await bucket.head(key);
      if (found !== undefined) return { bucket, found };
    }
    return undefined;
  }

  /** Most of what is under the prefixes is short-lived, so that bucket is asked first. */
  async #either<T>(key: string, read: (bucket: StorageBackend) => Promise<T>): Promise<T> {
    if (!this.#mayHold(key)) return read(this.#main);
    try {
      return await read(this.#short);
    } catch (inShort) {
      return read(this.#main).catch((inMain: unknown) => {
        // Where one bucket could not be asked, that the other has it not is no answer.
        throw isMissing(inMain) && !isMissing(inShort) ? inShort : inMain;
      });
    }
  }
}

const isMissing = (error: unknown): boolean => error instanceof StorageError && error.fault === "missing-object";

async function* merged(one: AsyncIterable<ListedObject>, other: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject> {
  const lists = [one[Symbol.asyncIterator](), other[Symbol.asyncIterator]()];
  const heads = await Promise.all(lists.map((list) => list.next()));
  for (;;) {
    const left = heads.flatMap((head, index) => (head.done === true ? [] : [{ index, object: head.value }]));
    const [first] = left.toSorted((a, b) => Buffer.compare(Buffer.from(a.object.key), Buffer.from(b.object.key)));
    if (first === undefined) return;
    yield first.object;
    const list = lists[first.index];
    if (list !== undefined) heads[first.index] = await list.next();
  }
}

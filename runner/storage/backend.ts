import type { Readable } from "node:stream";

export interface ListedObject {
  /** Relative to the backend's prefix. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface PutOptions {
  /** The most bytes that will come, where it is known: parts are sized by it. */
  readonly expectedBytes?: number;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes that the backend has taken since the last call: the sign that it lives. */
  readonly onTaken?: (bytes: number) => void;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A place for objects: an S3-compatible bucket or a folder. Keys are relative to its prefix, with `/` inside. */
export interface StorageBackend {
  readonly name: string;
  readonly kind: "s3" | "folder";
  /** How a person names an object here: `s3://bucket/prefix/key` or `file:///folder/key`. */
  uri(key: string): string;
  /** Writes an object as a whole or not at all; `source` is read once, in bounded memory. */
  put(key: string, source: Readable | Uint8Array, options?: PutOptions): Promise<{ readonly bytes: number }>;
  /** Streams an object, or one range of it. A missing object is a `DrError` of kind `failed`. */
  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Readable>;
  /** A small object as a whole. */
  read(key: string, signal?: AbortSignal): Promise<Buffer>;
  /** `undefined` where it is not there. */
  head(key: string): Promise<{ readonly bytes: number; readonly modifiedAt: Date } | undefined>;
  /** In the order of the keys, page by page; only keys after `after` where it is given. */
  list(prefix: string, after?: string): AsyncIterable<ListedObject>;
  remove(keys: readonly string[]): Promise<void>;
  /** Free bytes: the quota less what is used, or the disk's own figure; `undefined` where nothing says. */
  available(): Promise<number | undefined>;
  /** Throws a `DrError` that tells refused, wrong key, wrong authority and missing bucket apart. */
  check(): Promise<void>;
  /** The same backend, whose writes go to its bucket for what is kept for less than the backend's lock; absent where it
   * has none. */
  readonly shortLived?: StorageBackend;
  /** Requests sent so far, for what promises a number of them. */
  readonly requests: number;
  close(): void;
}

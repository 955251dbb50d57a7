import type { Readable } from "node:stream";
import type { CopyResult } from "../catalog/record.ts";
import type { StorageBackend } from "./backend.ts";

export interface FanOutOptions {
  /** The most bytes that will come, where it is known. */
  readonly expectedBytes?: number;
  /** A backend that takes nothing for this many seconds is dropped. Default 60. */
  readonly stallSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes read from the source so far. */
  readonly onBytes?: (bytes: number) => void;
}

export interface FanOutResult {
  readonly bytes: number;
  /** Of the bytes as stored, hexadecimal. */
  readonly sha256: string;
  /** One per backend, in their order. */
  readonly copies: CopyResult[];
}

/** Writes one object to every backend from ONE read of the source, in bounded memory. */
export async function writeToAll(backends: readonly StorageBackend[], key: string, source: Readable, options: FanOutOptions = {}): Promise<FanOutResult> {
  return Promise.reject(new Error(`not built yet: ${key} ${backends.length} ${String(source.readable)} ${String(options.expectedBytes)}`));
}

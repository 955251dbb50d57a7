import { PassThrough, pipeline, type Readable } from "node:stream";
import type { VerificationCheck } from "../verification.ts";
import type { RetrievalTier, StorageClass } from "./retrieval.ts";

export interface StoredArchive {
  readonly uri: string;
  readonly bytes: number;
  /** What the store needs to find it again, for the record's details. */
  readonly reference: Readonly<Record<string, string>>;
}

export type Retrieval =
  | { readonly state: "ready"; readonly body: Readable }
  /** It was asked for, and is not there yet. `job`: to remember. */
  | { readonly state: "waiting"; readonly job: string; readonly since: Date };

/** An archive as the store lists it. */
export interface ListedArchive {
  /** By which the record's reference names it. */
  readonly id: string;
  readonly bytes: number;
  readonly createdAt: Date;
  /** What was written beside it; of ours, the week and the backup's id. */
  readonly label: string;
  readonly treeHash?: string;
}

export type Inventory =
  | { readonly state: "waiting"; readonly since: Date }
  /** What is younger than `listedAt` need not be in it. */
  | { readonly state: "ready"; readonly listedAt: Date; readonly archives: readonly ListedArchive[] };

/** A cold place for archives: what is written there is read hours after it was asked for. */
export interface ArchiveDepot {
  readonly name: string;
  readonly storageClass: StorageClass;
  /** Writes all or nothing; `label` tells a person, and a later run, what an unfinished upload is. */
  store(label: string, source: Readable, options: { readonly expectedBytes: number; readonly signal: AbortSignal }): Promise<StoredArchive>;
  /** Aborts the unfinished uploads of ours that began before that time, and names them. */
  abandon(before: Date): Promise<readonly string[]>;
  /** Begins a retrieval, or goes on with the `job` of an earlier run. */
  retrieve(reference: Readonly<Record<string, unknown>>, tier: RetrievalTier, job: string | undefined): Promise<Retrieval>;
  /** What can be said of an archive without retrieving it. */
  look(reference: Readonly<Record<string, unknown>>, bytes: number): Promise<VerificationCheck>;
  /** Everything that lies there. Glacier takes hours for it: a run asks, and a later one finds the answer. `anew`: an
   * answer that is there already is not taken. */
  inventory(anew: boolean): Promise<Inventory>;
  /** How the inventory names the archive of a record. */
  idOf(reference: Readonly<Record<string, unknown>>): string | undefined;
  close(): void;
}

/**
 * A body that somebody reads later: one that breaks off before they look must still end in an error for them, where the
 * response itself would stay silent for ever.
 */
export function held(body: Readable): Readable {
  const out = new PassThrough({ highWaterMark: 1024 ** 2 });
  pipeline(body, out, () => undefined); // its error is that of `out`
  out.on("error", () => undefined);
  return out;
}

/** Where in the copy the content of a line of the index is to be read. */
import { DrError, messageOf } from "../../errors.ts";
import { StorageError } from "../../storage/faults.ts";
import type { ObjectBucket } from "./bucket.ts";
import { copyObject, type CopyRequest } from "./copy.ts";
import type { Entry } from "./entry.ts";
import { historyPlaceOf, placeOf } from "./keys.ts";

export interface Place {
  readonly key: string;
  readonly version?: string | undefined;
}

/** In the order in which they are tried: by its version there is one place; without, it may have been put aside since. */
export const placesOf = (entry: Entry): readonly Place[] => (entry.version === undefined ? [{ key: historyPlaceOf(entry.key, entry.run) }, { key: placeOf(entry.key) }] : [{ key: placeOf(entry.key), version: entry.version }]);

/** Writes the content that the index says, or nothing. */
export async function restoreEntry(from: ObjectBucket, entry: Entry, to: CopyRequest["to"], signal: AbortSignal): Promise<void> {
  const errors: string[] = [];
  for (const place of placesOf(entry)) {
    try {
      await copyObject({ from: { bucket: from, ...place }, to, expected: { bytes: entry.bytes, etag: entry.etag }, signal });
      return;
    } catch (error) {
      signal.throwIfAborted();
      const isHistory = entry.version === undefined && place.key !== placeOf(entry.key);
      if (isHistory && error instanceof StorageError && error.fault === "missing-object") continue; // never overwritten
      if (error instanceof StorageError && error.fault !== "missing-object" && !isHistory) throw error;
      errors.push(messageOf(error));
    }
  }
  throw new DrError({ kind: "failed", what: errors.join("; "), where: `${entry.key} as ${entry.run} copied it`, todo: "Choose another time; its version may have expired." });
}

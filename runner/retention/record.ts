import { z } from "zod";
import type { BackupRecord } from "../catalog/record.ts";
import { tallySchema } from "../metrics/tally.ts";
import { systemStore } from "../recovery-point/record.ts";

/** The kind of a record that says what an expiry took away. It holds no copy, so nothing restores it. */
export const expiryKind = "expiry";

const expirySchema = z.object({
  /** Everything that records said which are gone, `removed` among them: counters go on from it. */
  counted: tallySchema,
  /** Ids of the records that this run set out to remove. Some may still stand, where it was stopped. */
  removed: z.array(z.string()),
  /** Objects that were gone when it was written, and their bytes, in each backend. */
  freed: z.record(z.string(), z.object({ objects: z.number(), bytes: z.number() })),
});
export type RecordedExpiry = z.infer<typeof expirySchema>;

/** What a record of an expiry says; `undefined` for any other record, and for one that says it in no known form. */
export function expiryIn(record: BackupRecord): RecordedExpiry | undefined {
  return record.store === systemStore && record.kind === expiryKind ? expirySchema.safeParse(record.details).data : undefined;
}

/** The newest expiry of all: its count goes back to the first backup. Records come in the order of their ids. */
export function newestExpiry(records: readonly BackupRecord[]): RecordedExpiry | undefined {
  for (const record of records.toReversed()) {
    const found = expiryIn(record);
    if (found !== undefined) return found;
  }
  return undefined;
}

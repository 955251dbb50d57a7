import { z } from "zod";
import type { BackupRecord } from "../../catalog/record.ts";
import { DrError } from "../../errors.ts";

export const store = "metrics";
/** One run: the head of that moment, and every block that was there. */
export const snapshotKind = "snapshot";
/** One block that never changes again, stored once. */
export const blockKind = "block";

export const storedBlockSchema = z.object({
  ulid: z.string(),
  minTime: z.number(),
  maxTime: z.number(),
  samples: z.number(),
  series: z.number(),
  bytes: z.number(),
  fingerprint: z.string(),
  /** Of the object that holds it. */
  key: z.string(),
  /** What was only in memory when the snapshot was taken: another run's head is another block. */
  head: z.boolean(),
});
export type StoredBlock = z.infer<typeof storedBlockSchema>;

const details = z.object({ blocks: z.array(storedBlockSchema) });

/** The blocks that a record says it consists of; for a record of one block, that one. */
export function blocksOf({ id, details: found }: BackupRecord): readonly StoredBlock[] {
  const parsed = details.safeParse(found);
  if (parsed.success) return parsed.data.blocks;
  throw new DrError({ kind: "failed", what: "the record does not say which blocks it consists of", where: id, todo: "Choose another backup (`dr catalog list`)." });
}

import { z } from "zod";
import { failureKinds } from "../../plan/metrics.ts";

/**
 * What a backup leaves behind: one immutable record in every backend. Records, not job histories, are the truth:
 * status, metrics and the choice of what to restore all come from them.
 */
export const recordVersion = 1;

const time = z.iso.datetime({ offset: false });

/** How far a backup's data reaches. */
export const watermarkSchema = z.strictObject({
  /** Everything that was committed at this time is in the backup. */
  time,
  /** PostgreSQL: the LSN at which a restore is consistent. */
  lsn: z.string().optional(),
  timeline: z.int().optional(),
  /** PostgreSQL: where the backup began. */
  startLsn: z.string().optional(),
});

const copyOk = z.strictObject({
  backend: z.string(),
  status: z.literal("ok"),
  /** Where it is, e.g. `s3://bucket/redis/ID/dump.rdb.pgp` or `pgbackrest://r2/main/20261122-020000F`. */
  uri: z.string(),
  bytes: z.number(),
  /** pgBackRest's own label, which differs per repository. */
  label: z.string().optional(),
  watermark: watermarkSchema.optional(),
  seconds: z.number(),
});
const copyFailed = z.strictObject({
  backend: z.string(),
  status: z.literal("failed"),
  error: z.string(),
  /** What the metrics count it by; absent: `failed`. */
  kind: z.enum(failureKinds).optional(),
});
export const copySchema = z.discriminatedUnion("status", [copyOk, copyFailed]);

export const objectSchema = z.strictObject({
  /** Relative to the backend's prefix. */
  key: z.string(),
  bytes: z.number(),
  sha256: z.string(),
});

export const recordSchema = z.strictObject({
  version: z.literal(recordVersion),
  /** Sorts by time: `20261122T203000123Z-redis-snapshot-4f2a`. */
  id: z.string(),
  store: z.string(),
  kind: z.string(),
  startedAt: time,
  finishedAt: time,
  watermark: watermarkSchema,
  /** Size of the data before compression and encryption, in bytes. */
  sourceBytes: z.number(),
  /** The objects that the backup consists of, as stored (encrypted); empty where pgBackRest keeps them. */
  objects: z.array(objectSchema),
  encryption: z.enum(["openpgp", "pgbackrest-aes-256-cbc", "none"]),
  copies: z.array(copySchema),
  tools: z.record(z.string(), z.string()),
  /** When it may be expired, or `null`: never. */
  expiresAt: time.nullable(),
  /** What the store wants to find again: counts, run ids, measured rates, the parts of a recovery point. */
  details: z.record(z.string(), z.json()),
});

export type Watermark = z.infer<typeof watermarkSchema>;
export type CopyResult = z.infer<typeof copySchema>;
export type CopyOk = z.infer<typeof copyOk>;
export type StoredObject = z.infer<typeof objectSchema>;
export type BackupRecord = z.infer<typeof recordSchema>;

/** `ok` where every copy stands, `partial` where some do, `failed` where none does. */
export function outcomeOf(record: Pick<BackupRecord, "copies">): "ok" | "partial" | "failed" {
  const good = record.copies.filter((copy) => copy.status === "ok").length;
  if (good === 0) return "failed";
  return good === record.copies.length ? "ok" : "partial";
}

/** What the record of a recovery point holds: the parts that belong together, and how far each reaches. Pure. */
import { z } from "zod";
import type { BackupRecord } from "../catalog/record.ts";

/** Store and kind of the catalog's records of recovery points. */
export const systemStore = "system";
export const recoveryPointKind = "recovery-point";

const time = z.iso.datetime({ offset: false });

/** One backend of a part: the part stands there, or it does not and `error` says why. */
const placeSchema = z.strictObject({ backend: z.string(), error: z.string().nullable() });

/** A position in PostgreSQL's log. LSNs of two timelines cannot be compared. */
const positionSchema = z.strictObject({ lsn: z.string(), timeline: z.int() });

/**
 * How a part stands to PostgreSQL. `base`: it is PostgreSQL. `before`: made before the restore point, must not hold
 * what PostgreSQL lacks. `after`: made behind it, must hold whatever PostgreSQL refers to.
 */
export const orders = ["base", "before", "after"] as const;

const partBase = {
  store: z.string(),
  order: z.enum(orders),
  /** Whether the system cannot be recovered without it. Agents' checkpoints hold again what the stores hold. */
  needed: z.boolean(),
};
const savedPart = z.strictObject({
  ...partBase,
  status: z.literal("saved"),
  /** Id of its own record. */
  backup: z.string(),
  /** How far it reaches; `lsn` is PostgreSQL's alone: where a restore of its backup is consistent. */
  watermark: z.strictObject({ time, lsn: z.string().nullable() }),
  finishedAt: time,
  /** PostgreSQL's position when the part was complete, on the timeline of its beginning: it holds nothing from
   * behind it. `null` where PostgreSQL is not configured or did not say. */
  notAfter: positionSchema.nullable(),
  expiresAt: time.nullable(),
  places: z.array(placeSchema),
});
const failedPart = z.strictObject({ ...partBase, status: z.literal("failed"), error: z.string() });
export const partSchema = z.discriminatedUnion("status", [savedPart, failedPart]);

const madeRestorePoint = z.strictObject({
  status: z.literal("made"),
  /** The name by which PostgreSQL is recovered to it; the recovery point's own id. */
  name: z.string(),
  lsn: z.string(),
  timeline: z.int(),
  /** Everything committed at this time is before it. */
  time,
  segment: z.string(),
  /** Id of its own record. */
  record: z.string(),
  /** Until when the WAL that leads to it is kept for sure. */
  expiresAt: time,
  places: z.array(placeSchema),
});
const failedRestorePoint = z.strictObject({ status: z.literal("failed"), error: z.string() });

/** A backup that is made in a rhythm of its own and belongs to no moment: the newest when the point was made. */
const besideSchema = z.strictObject({ store: z.string(), backup: z.string(), reachesTo: time });

export const recoveryPointSchema = z.strictObject({
  /** In the order in which they were made. */
  parts: z.array(partSchema),
  /** `null` where PostgreSQL is not configured. */
  restorePoint: z.discriminatedUnion("status", [madeRestorePoint, failedRestorePoint]).nullable(),
  /** Configuration and metrics: whoever recovers the system finds them by the point. Older records name none. */
  beside: z.array(besideSchema).default([]),
});

export type PartOrder = (typeof orders)[number];
export type Place = z.infer<typeof placeSchema>;
export type Position = z.infer<typeof positionSchema>;
export type SavedPart = z.infer<typeof savedPart>;
export type PartResult = z.infer<typeof partSchema>;
export type MadeRestorePoint = z.infer<typeof madeRestorePoint>;
export type BesideBackup = z.infer<typeof besideSchema>;
export type RecoveryPoint = z.infer<typeof recoveryPointSchema>;

const detailsSchema = z.object({ recoveryPoint: recoveryPointSchema });

/** The recovery point that a record describes; `undefined` where it describes none. */
export function readRecoveryPoint(record: BackupRecord): RecoveryPoint | undefined {
  if (record.store !== systemStore || record.kind !== recoveryPointKind) return undefined;
  const parsed = detailsSchema.safeParse(record.details);
  return parsed.success ? parsed.data.recoveryPoint : undefined;
}

export const isSaved = (part: PartResult): part is SavedPart => part.status === "saved";

/** The restore point, where it was made. */
export const madePoint = ({ restorePoint }: Pick<RecoveryPoint, "restorePoint">): MadeRestorePoint | undefined => (restorePoint?.status === "made" ? restorePoint : undefined);

/** What a recovery point lacks in one backend, a sentence each; empty where everything stands there. */
export function lacksIn(point: RecoveryPoint, backend: string): string[] {
  const parts = point.parts.flatMap((part) => (part.status === "failed" ? [`${part.store}: ${part.error}`] : part.needed || isKeptIn(part, backend) ? lackOf(part.store, part.places, backend) : []));
  const { restorePoint } = point;
  if (restorePoint === null) return parts;
  return [...parts, ...(restorePoint.status === "failed" ? [`restore point: ${restorePoint.error}`] : lackOf("restore point", restorePoint.places, backend))];
}

/** What is not needed may be kept in some backends alone, as objects are in the one that does not hold the originals. */
const isKeptIn = ({ places }: SavedPart, backend: string): boolean => places.some((place) => place.backend === backend);

function lackOf(what: string, places: readonly Place[], backend: string): string[] {
  const place = places.find((one) => one.backend === backend);
  if (place === undefined) return [`${what}: is not kept here`];
  return place.error === null ? [] : [`${what}: ${place.error}`];
}

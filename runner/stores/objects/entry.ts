/** A line of the index: one object as the copy holds it. */
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";

const entrySchema = z.strictObject({
  key: z.string(),
  bytes: z.number().min(0),
  /** Of the source, as it listed it: whether an object has changed is told by this and by nothing that has a clock. */
  etag: z.string(),
  /** In the source, ISO 8601. */
  modified: z.string(),
  /** The run that copied it. */
  run: z.string(),
  /** Of the copy, where the bucket keeps versions: this one content, whatever is written later. */
  version: z.string().optional(),
  /** When a run first found it gone from the source, ISO 8601. The copy keeps it until the retention is over. */
  deleted: z.string().optional(),
});

export type Entry = z.infer<typeof entrySchema>;

export const isLive = (entry: Entry | undefined): entry is Entry => entry !== undefined && entry.deleted === undefined;

/** Single uploads have the MD5 of their content as ETag, but not where KMS encrypts them; uploads in parts never have. */
export const md5Of = (etag: string): string | undefined => (/^[0-9a-f]{32}$/.test(etag) ? etag : undefined);

export const toLine = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

/** @throws DrError where the line is none: the index is damaged there */
export function parseLine(line: string, where: string): Entry {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the index of the objects is damaged: ${messageOf(cause)}`, where, todo: "An older base of the index is used where there is one; `dr backup objects sync --full` writes a new one.", cause });
  }
}

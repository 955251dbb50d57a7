import { createHash } from "node:crypto";
import { parseKey } from "./ids.ts";
import { recordSchema, recordVersion, type BackupRecord } from "./record.ts";

/** A record that cannot be believed, and why. */
export interface Damaged {
  readonly damage: string;
}

/** The same value always gives the same text: keys in order, no spaces. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

function envelope(record: unknown): string {
  const text = canonical(record);
  return `{"sha256":"${digest(text)}","record":${text}}\n`;
}

/** A record as it is stored, with the checksum of its canonical form in front. */
export const seal = (record: BackupRecord): string => envelope(recordSchema.parse(record));

/** Reads what `seal` wrote, byte for byte; a single flipped bit anywhere in it is seen and named. */
export function unseal(bytes: Uint8Array): BackupRecord | Damaged {
  const text = Buffer.from(bytes).toString("utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { damage: bytes.length === 0 ? "the record is empty" : "the record is cut off or damaged: it is no JSON" };
  }
  if (!isObject(parsed) || typeof parsed["sha256"] !== "string" || !isObject(parsed["record"])) return { damage: "the record is damaged: its envelope is not complete" };
  const { record } = parsed;
  if (digest(canonical(record)) !== parsed["sha256"] || envelope(record) !== text) return { damage: "the record is damaged: its checksum does not match" };
  const { version } = record;
  if (typeof version === "number" && version !== recordVersion) return { damage: `the record has version ${version}, and this dr knows ${recordVersion}: it was written by ${version > recordVersion ? "a newer one, use that" : "an older one, whose release reads it"}` };
  const checked = recordSchema.safeParse(record);
  if (checked.success) return checked.data;
  return { damage: `the record is whole but not valid: ${checked.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}` };
}

/** The record that stands under a key; one that belongs elsewhere was put there by somebody else. */
export function unsealAs(key: string, bytes: Uint8Array): BackupRecord | Damaged {
  const result = unseal(bytes);
  const named = parseKey(key);
  const misplaced = !("damage" in result) && (result.id !== named?.id || result.store !== named.store);
  return misplaced ? { damage: `the record belongs to ${result.store}/${result.id}: it stands under another's name` } : result;
}

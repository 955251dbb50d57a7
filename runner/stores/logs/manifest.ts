/** What arrived between two looks, object by object: what a verification later compares with. */
import { Readable } from "node:stream";
import { z } from "zod";
import type { StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { decryptBytes, encryptStream } from "../../encryption/openpgp.ts";
import { DrError } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { writeToAll, type FanOutResult } from "../../storage/fan-out.ts";

const entrySchema = z.strictObject({ backend: z.string(), key: z.string(), bytes: z.number(), sha256: z.string(), lines: z.number() });
export type ManifestEntry = z.infer<typeof entrySchema>;

export const manifestKey = (id: string): string => `logs/${id}/arrived.jsonl.pgp`;

export async function writeManifest(context: RunContext, id: string, entries: readonly ManifestEntry[]): Promise<FanOutResult> {
  const text = Readable.from([Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""))], { objectMode: false });
  return writeToAll(context.backends, manifestKey(id), encryptStream(text, await context.passphrase(), { filename: "arrived.jsonl" }), { signal: context.signal });
}

/** @throws DrError where the manifest is damaged, or of another passphrase */
export async function readManifest(context: RunContext, backend: StorageBackend, object: StoredObject): Promise<ManifestEntry[]> {
  const text = (await decryptBytes(await backend.read(object.key, context.signal), await context.passphrase())).toString("utf8");
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    const parsed = entrySchema.safeParse(JSON.parse(line));
    if (parsed.success) return [parsed.data];
    throw new DrError({ kind: "failed", what: "the manifest of the logs has a line that is none", where: backend.uri(object.key), todo: "Use the other backend's." });
  });
}

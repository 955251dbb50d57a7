import { z } from "zod";
import type { S3BackendConfig } from "../../config.ts";
import { DrError } from "../../errors.ts";
import type { StorageBackend } from "../backend.ts";
import { StorageError } from "../faults.ts";

/** Beside what was copied: what it is a copy of, and in the end what came of it. */
const begunKey = "rescue/begun.json";
const resultKey = "rescue/result.json";

const begunSchema = z.object({ endpoint: z.string(), bucket: z.string(), prefix: z.string(), at: z.iso.datetime() });
type Begun = z.infer<typeof begunSchema>;

/**
 * Whether an earlier run of the same is gone on with. Of what it left each object is whole and the right one; what
 * anybody else left is not known, so into a place that holds something else nothing is copied.
 */
export async function beginOrGoOn(target: StorageBackend, { source, at }: { readonly source: S3BackendConfig; readonly at: Date }): Promise<boolean> {
  const now: Begun = { endpoint: source.endpoint, bucket: source.bucket, prefix: source.prefix, at: at.toISOString() };
  const before = await readBegun(target);
  if (before === undefined) {
    for await (const { key } of target.list("")) throw refused(`it is not empty: ${key} is in it`, target);
    await target.put(begunKey, Buffer.from(`${JSON.stringify(now)}\n`), { contentType: "application/json" });
    return false;
  }
  if (JSON.stringify(before) === JSON.stringify(now)) return true;
  throw refused(`it holds a rescue of ${before.bucket} as of ${before.at}`, target);
}

async function readBegun(target: StorageBackend): Promise<Begun | undefined> {
  try {
    return begunSchema.parse(JSON.parse((await target.read(begunKey)).toString("utf8")));
  } catch (error) {
    if (error instanceof StorageError && error.fault === "missing-object") return undefined;
    throw error;
  }
}

const refused = (what: string, target: StorageBackend): DrError => new DrError({ kind: "refused", what, where: target.uri(""), todo: "Name an empty bucket or folder that the stolen credentials do not reach." });

export async function writeResult(target: StorageBackend, result: unknown): Promise<void> {
  await target.put(resultKey, Buffer.from(`${JSON.stringify(result, undefined, 2)}\n`), { contentType: "application/json" });
}

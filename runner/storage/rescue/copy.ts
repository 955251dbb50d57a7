import { createHash } from "node:crypto";
import { pipeline, Transform } from "node:stream";
import { DrError } from "../../errors.ts";
import { StorageError } from "../faults.ts";
import { mostCopied, type Placed, type VersionedBucket } from "./bucket.ts";
import type { StoredVersion } from "./choice.ts";
import type { RescueTarget } from "./target.ts";

/** What a copy was held against, the strongest that there was. */
export type Check = "sha256" | "md5" | "size";

export interface CopyWork {
  readonly from: VersionedBucket;
  readonly to: RescueTarget;
  readonly content: StoredVersion;
  /** Of the catalog's record, where one names the object. */
  readonly sha256: string | undefined;
  /** Whether the store can copy it itself. */
  readonly within: boolean;
  readonly signal: AbortSignal;
}

/**
 * Copies one content and holds the copy against the original: its sha256 by the record, or its MD5 by the store's tag, or
 * at the least its size. What does not fit is taken away again, so that no later run takes it for done.
 */
export async function copyVersion(work: CopyWork): Promise<Check> {
  const { from, to, content, within, signal } = work;
  if (within && to.bucket !== undefined && content.bytes <= mostCopied) {
    await to.bucket.copyFrom(from, content, signal);
    // A tag that differs proves nothing here: what KMS encrypts has one that is no MD5, and a listing does not say which.
    return (await check(work)).md5 === content.etag ? "md5" : "size";
  }
  const { md5, strongest } = await stream(work);
  await check(work, md5);
  return strongest;
}

/** Through this machine, in bounded memory. */
async function stream({ from, to, content, sha256, signal }: CopyWork): Promise<{ readonly md5: string; readonly strongest: Check }> {
  const opened = await from.get(content, { signal });
  const hashes = { md5: createHash("md5"), sha256: createHash("sha256") };
  let found = { md5: "", sha256: "" };
  let seen = 0;
  const wrong = (what: string): StorageError => new StorageError("other", `what was read is not what was written: ${what}`, from.uri(content.key));
  const checked = new Transform({
    highWaterMark: 1024 ** 2,
    transform(chunk: Buffer, _encoding, done) {
      hashes.md5.update(chunk);
      hashes.sha256.update(chunk);
      seen += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      found = { md5: hashes.md5.digest("hex"), sha256: hashes.sha256.digest("hex") };
      if (seen !== content.bytes) done(wrong(`${seen} bytes came, the listing says ${content.bytes}`));
      else if (sha256 !== undefined && found.sha256 !== sha256) done(wrong(`its sha256 is ${found.sha256}, the record says ${sha256}`));
      else if (opened.md5 !== undefined && found.md5 !== opened.md5) done(wrong(`its MD5 is ${found.md5}, the store says ${opened.md5}`));
      else done();
    },
  });
  pipeline(opened.body, checked, () => undefined); // its error is that of `checked`
  await to.put(content.key, checked, { ...opened, bytes: content.bytes }, signal);
  return { md5: found.md5, strongest: sha256 !== undefined ? "sha256" : opened.md5 !== undefined ? "md5" : "size" };
}

/** What the target has now, against what went there. */
async function check({ to, content }: CopyWork, md5?: string): Promise<Placed> {
  const placed = await to.head(content.key);
  const differs = placed === undefined ? "it is not there" : placed.bytes !== content.bytes ? `it has ${placed.bytes} bytes, not ${content.bytes}` : undefined;
  const isOther = md5 !== undefined && placed?.md5 !== undefined && placed.md5 !== md5;
  if (placed !== undefined && differs === undefined && !isOther) return placed;
  await to.remove(content.key);
  throw new DrError({ kind: "failed", what: `the copy is not what was copied: ${differs ?? `its MD5 is ${placed?.md5 ?? "unknown"}, not ${md5 ?? "unknown"}`}`, where: to.backend.uri(content.key), todo: "Run the same again: it goes on where it stopped." });
}

import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { DrError } from "../../errors.ts";
import { StorageError } from "../../storage/faults.ts";
import type { ObjectBucket } from "./bucket.ts";
import { md5Of } from "./entry.ts";

export interface CopyRequest {
  readonly from: { readonly bucket: ObjectBucket; readonly key: string; readonly version?: string | undefined };
  readonly to: { readonly bucket: ObjectBucket; readonly key: string };
  /** What it must be, or nothing is written. */
  readonly expected?: { readonly bytes: number; readonly etag: string };
  readonly signal: AbortSignal;
}

export interface Copied {
  readonly bytes: number;
  /** Of the original, at the moment of its reading. */
  readonly etag: string;
  readonly modifiedAt: Date;
}

/** Above this an upload goes in parts; below, a body is one request. In bytes. */
const small = 5 * 1024 ** 2;

/** Copies one object through this machine, whatever its name is; its content is checked before it becomes one. */
export async function copyObject({ from, to, expected, signal }: CopyRequest): Promise<Copied> {
  const { body, bytes, etag, modifiedAt, contentType, metadata } = await from.bucket.get(from.key, { version: from.version, signal });
  const where = from.bucket.uri(from.key);
  if (expected !== undefined && expected.bytes !== bytes) {
    body.destroy();
    throw wrongContent(`it has ${bytes} bytes, and ${expected.bytes} are expected`, where);
  }
  const md5 = md5Of((expected ?? { etag }).etag);
  const checked = body.pipe(checkedBy(md5, bytes, where), { end: true });
  body.once("error", (error) => checked.destroy(error));
  body.once("close", () => {
    if (!body.readableEnded) checked.destroy(new StorageError("broken-off", "the store broke the connection off", where));
  });
  await to.bucket.put(to.key, checked, { expectedBytes: Math.max(bytes, small), contentType, metadata, signal });
  return { bytes, etag, modifiedAt };
}

const wrongContent = (what: string, where: string): DrError => new DrError({ kind: "failed", what: `the content is not what the index says: ${what}`, where, todo: "Choose another time; `dr verify` tells what else is wrong." });

/** Passes everything on, and fails at the end where it was something else. */
function checkedBy(md5: string | undefined, bytes: number, where: string): Transform {
  const hash = createHash("md5");
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      seen += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const found = hash.digest("hex");
      if (seen !== bytes) done(wrongContent(`${seen} of ${bytes} bytes came`, where));
      else if (md5 !== undefined && found !== md5) done(wrongContent(`its MD5 is ${found}, and ${md5} is expected`, where));
      else done();
    },
  });
}

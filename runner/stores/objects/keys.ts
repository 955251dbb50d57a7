/** Names: in which order stores list them, where each lies in the copy, and which of them tools mistake. Pure. */
import { createHash } from "node:crypto";

/** Under the plan's prefix in the backend. `data/` is what clients can be pointed at as it is. */
export const folders = {
  data: "objects/data/",
  /** What `data/` cannot hold by its own name. */
  encoded: "objects/encoded/",
  /** Contents that were overwritten where the bucket keeps no versions. */
  history: "objects/history/",
  /** The state of the copy as a whole, one a day. */
  base: "objects/index/base/",
  /** What each run changed. */
  changes: "objects/index/changes/",
} as const;

/** As S3 orders keys: by the bytes of their UTF-8, which is not JavaScript's order of strings. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    // Surrogates stand for code points above U+FFFF, behind the rest of the plane in UTF-8 and before its end in UTF-16.
    if (x !== y) return (isSurrogate(x) ? x + 0x1_0000 : x) - (isSurrogate(y) ? y + 0x1_0000 : y);
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd8_00 && unit <= 0xdf_ff;

/** S3's limit for a key, in bytes of UTF-8. */
const longest = 1_024;
/** Control characters have no place in a list of names, and rclone takes these others for its own escapes. */
const special = /[\0-\x1f\x7f\u201b\u2400-\u2426\uff0e\uff0f\ufffd]/;

/** Whether a key is also a path: what rclone, gateways over file systems and people carry unharmed. */
export function isPlain(key: string): boolean {
  return !special.test(key) && key.split("/").every((part) => part !== "" && part !== "." && part !== "..") && Buffer.byteLength(folders.data + key) <= longest;
}

const digestOf = (key: string): string => createHash("sha256").update(key).digest("hex");

/** Where a key's newest content lies in the copy. */
export const placeOf = (key: string): string => (isPlain(key) ? folders.data + key : folders.encoded + digestOf(key));

/** Where the content that `run` wrote goes before it is overwritten, in a bucket without versions. */
export const historyPlaceOf = (key: string, run: string): string => `${folders.history}${run}/${digestOf(key)}`;

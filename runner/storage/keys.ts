import { StorageError } from "./faults.ts";

/** S3's own limit, in bytes of UTF-8. */
const longest = 1_024;

/**
 * A key that means the same in every backend: relative, `/` between its parts, and no part that a file system would
 * follow elsewhere. Names that begin with a dot are left to the backends themselves.
 */
export function checkKey(key: string, where: string): string {
  const bad = key.split("/").find((part) => part === "" || part.startsWith(".") || /[\0-\x1f\x7f\\]/.test(part));
  if (bad !== undefined || Buffer.byteLength(key) > longest) throw new StorageError("bad-key", `${JSON.stringify(key)} is no key for an object`, where);
  return key;
}

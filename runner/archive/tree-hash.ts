import { createHash, type Hash } from "node:crypto";

/** What Glacier hashes at a time: its API reference, "Computing checksums". */
const leaf = 1024 ** 2;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash: Hash, part) => hash.update(part), createHash("sha256")).digest();

/** The hash over hashes: pairs joined level by level, an odd one carried up as it is. */
export function combine(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return sha256();
  let level: Buffer[] = hashes.map((hash) => Buffer.from(hash));
  while (level.length > 1) level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => joined(level[2 * pair], level[2 * pair + 1]));
  return level[0] ?? sha256();
}

const joined = (left: Buffer | undefined, right: Buffer | undefined): Buffer => (left === undefined ? sha256() : right === undefined ? left : sha256(left, right));

/** The tree hash of what is in memory. */
export function treeHash(data: Uint8Array): Buffer {
  const count = Math.max(1, Math.ceil(data.length / leaf));
  return combine(Array.from({ length: count }, (_, index) => sha256(data.subarray(index * leaf, (index + 1) * leaf))));
}

import { createDecipheriv } from "node:crypto";
import { z } from "zod";
import { readSecret } from "../../config.ts";
import { DrError } from "../../errors.ts";
import type { SealConfig } from "./config.ts";
import { blobOf, describeSeal, type SnapshotSeal } from "./seal.ts";
import { combineShares } from "./shamir.ts";

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/** AES-GCM: nonce, ciphertext and tag in a row. Throws where the key or the content is another one. */
export function openGcm(key: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Buffer {
  if (sealed.length < nonceBytes + tagBytes) throw new RangeError("too short to be encrypted");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), decipher.final()]);
}

/** 32 bytes as people write them: hexadecimal, base64 with or without its filling; for a share, 33. */
export function keyFrom(text: string): Uint8Array {
  return /^([0-9a-f]{2}){32,33}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
}

/** The keys of a file, one a line. */
export async function keysIn(file: string, what: string): Promise<readonly string[]> {
  const lines = (await readSecret(file, what)).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/**
 * The key that the seal encrypts the root key with, where it can be had without a server program: Shamir's and a
 * static one. `undefined`: only the seal's own service has it.
 */
export async function sealKeyOf(seal: SealConfig, needed: SnapshotSeal): Promise<Uint8Array | undefined> {
  if (seal.type === "static") {
    const text = await readSecret(seal.keyFile, "the seal's key");
    const raw = Buffer.from(text, "latin1");
    return checked(raw.length === keyBytes ? raw : keyFrom(text), seal.keyFile);
  }
  if (seal.type !== "shamir") return undefined;
  const keys = await keysIn(seal.keysFile, "the unseal keys");
  if (keys.length < needed.threshold) throw new DrError({ kind: "unavailable", what: `the file holds ${keys.length} of the ${needed.threshold} unseal keys that are needed`, where: seal.keysFile, todo: "Add the others, one a line." });
  try {
    return checked(combineShares(keys.slice(0, needed.threshold).map(keyFrom)), seal.keysFile);
  } catch (cause) {
    if (cause instanceof DrError) throw cause;
    throw new DrError({ kind: "usage", what: "these are no unseal keys of one Vault", where: seal.keysFile, todo: "Write them one a line, each as it was given out.", cause });
  }
}

function checked(key: Uint8Array, where: string): Uint8Array {
  if (key.length === keyBytes) return key;
  throw new DrError({ kind: "usage", what: `the key has ${key.length} bytes where ${keyBytes} are expected`, where, todo: "Write it in base64 or in hexadecimal." });
}

const storedKeys = z.array(z.base64()).min(1);

/** The root key out of what a snapshot holds. A `DrError` where the seal's key is not the one that it was sealed with. */
export function openRootKey(sealKey: Uint8Array, stored: Uint8Array, needed: SnapshotSeal): Uint8Array {
  const { iv, ciphertext } = blobOf(stored);
  let text: string;
  try {
    text = openGcm(sealKey, Buffer.concat([iv, ciphertext])).toString("utf8");
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the seal's key that is at hand does not open this snapshot, which needs ${describeSeal(needed)}`, where: `root key ${needed.rootKey.slice(0, 12)}`, todo: "Find the key that Vault was sealed with when the snapshot was made; without it what the snapshot holds is lost.", cause });
  }
  const [first] = storedKeys.parse(JSON.parse(text));
  return Buffer.from(first ?? "", "base64");
}

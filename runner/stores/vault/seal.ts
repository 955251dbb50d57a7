import { createHash } from "node:crypto";
import { z } from "zod";
import type { SealConfig } from "./config.ts";
import type { StateEntry } from "./state.ts";
import { bytesOf, textOf } from "./wire.ts";

/** What a snapshot must be opened with. It says nothing that would open it. */
export interface SnapshotSeal {
  /** `shamir`, `awskms`, `transit`, `static`, … */
  readonly type: string;
  /** The seal's own name of its key: KMS's id or ARN, transit's version; `null` for Shamir's. */
  readonly keyId: string | null;
  /** `threshold` of `shares` keys: unseal keys for Shamir. */
  readonly shares: number;
  readonly threshold: number;
  /** SHA-256 of the root key as it stands there, encrypted by the seal: another one after each rekeying. */
  readonly rootKey: string;
}

/** Where the servers keep it, in the clear, because it is read while they are sealed. */
const configKey = "core/seal-config";
export const rootKeyEntry = "core/hsm/barrier-unseal-keys";

const configSchema = z.object({ type: z.string().default(""), secret_shares: z.number(), secret_threshold: z.number() });

/** Picks the seal out of a snapshot's entries. */
export class SealFinder {
  #config: z.infer<typeof configSchema> | undefined;
  #rootKey: Uint8Array | undefined;

  look({ key, value }: StateEntry): void {
    if (key === configKey) this.#config = configSchema.parse(JSON.parse(Buffer.from(value).toString("utf8")));
    if (key === rootKeyEntry) this.#rootKey = Uint8Array.from(value);
  }

  get found(): SnapshotSeal | undefined {
    if (this.#config === undefined || this.#rootKey === undefined) return undefined;
    const { type, secret_shares: shares, secret_threshold: threshold } = this.#config;
    const keyId = blobOf(this.#rootKey).keyId;
    return { type: type === "" ? "shamir" : type, keyId: keyId === "" ? null : keyId, shares, threshold, rootKey: createHash("sha256").update(this.#rootKey).digest("hex") };
  }
}

/** What a seal encrypted, as it is stored. */
export interface SealedBlob {
  readonly ciphertext: Uint8Array;
  readonly iv: Uint8Array;
  readonly keyId: string;
}

export function blobOf(message: Uint8Array): SealedBlob {
  const keyInfo = bytesOf(message, 5);
  return { ciphertext: bytesOf(message, 1), iv: bytesOf(message, 2), keyId: textOf(keyInfo, 3) };
}

export const describeSeal = ({ type, keyId, threshold, shares }: SnapshotSeal): string =>
  type === "shamir" ? `${threshold} of ${shares} unseal keys` : `the ${type} key ${keyId ?? "(unnamed)"}`;

/**
 * Why a snapshot cannot be opened by the seal that is at hand, as far as their names tell; `undefined` where nothing
 * speaks against it. Names are not all: the verification opens it besides.
 */
export function sealMismatch(needed: SnapshotSeal | undefined, available: SealConfig | undefined): string | undefined {
  if (needed === undefined) return "it names no seal, so nothing can open it";
  if (available === undefined) return `it opens with ${describeSeal(needed)} alone, and the configuration names no seal (vault.seal)`;
  if (needed.type !== available.type) return `it opens with ${describeSeal(needed)} alone, and the seal at hand is ${available.type}`;
  if (needed.type === "static" && available.type === "static" && needed.keyId !== available.keyId) return `it opens with ${describeSeal(needed)} alone, and the key at hand is ${available.keyId}`;
  return undefined;
}

/** Two names of one key: the replicas of a multi-region key differ in nothing but the region. */
export function sameKey(one: SnapshotSeal, other: SnapshotSeal): boolean {
  const bare = (seal: SnapshotSeal) => (seal.type === "awskms" ? (seal.keyId?.split("/").at(-1) ?? "") : (seal.keyId ?? ""));
  if (one.type !== other.type) return false;
  // Transit's id is the version of the key: it grows, and the older versions still open.
  return one.type === "transit" || one.type === "shamir" || bare(one) === bare(other);
}

/** What a record keeps of it. */
export const snapshotSealSchema: z.ZodType<SnapshotSeal> = z.object({ type: z.string(), keyId: z.string().nullable(), shares: z.number(), threshold: z.number(), rootKey: z.string() });

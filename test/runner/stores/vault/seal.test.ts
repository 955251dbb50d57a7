import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BarrierReader, KeyringFinder } from "../../../../runner/stores/vault/barrier.ts";
import { vaultConfigSchema, type SealConfig } from "../../../../runner/stores/vault/config.ts";
import { openRootKey, sealKeyOf } from "../../../../runner/stores/vault/open-seal.ts";
import { SealFinder, sameKey, sealMismatch, type SnapshotSeal } from "../../../../runner/stores/vault/seal.ts";
import { combineShares } from "../../../../runner/stores/vault/shamir.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";
import { madeVault } from "./snapshots.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder("seal");
});
afterAll(() => folder.remove());

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const needed: SnapshotSeal = { type: "static", keyId: "key-1", shares: 1, threshold: 1, rootKey: "0".repeat(64) };
const shamir: SnapshotSeal = { type: "shamir", keyId: null, shares: 3, threshold: 2, rootKey: "1".repeat(64) };
const kms = (keyId: string): SnapshotSeal => ({ type: "awskms", keyId, shares: 1, threshold: 1, rootKey: "2".repeat(64) });

/** Shares of a secret made here: a line through it, byte by byte. */
function split(secret: Uint8Array, xs: readonly number[]): Uint8Array[] {
  const slope = randomBytes(secret.length);
  const times = (a: number, b: number): number => {
    let [product, left] = [0, a];
    for (let bit = 0; bit < 8; bit += 1) {
      if (((b >> bit) & 1) === 1) product ^= left;
      left = (left << 1) ^ (left > 127 ? 0x11b : 0);
    }
    return product;
  };
  return xs.map((x) => Uint8Array.from([...secret.map((byte, at) => byte ^ times(slope[at] ?? 0, x)), x]));
}

describe("unseal keys", () => {
  it("give the secret, any two of three", () => {
    const secret = randomBytes(32);
    const [a, b, c] = split(secret, [17, 203, 91]) as [Uint8Array, Uint8Array, Uint8Array];
    for (const pair of [[a, b], [b, c], [c, a]]) expect(Buffer.from(combineShares(pair)).equals(secret)).toBe(true);
    expect(Buffer.from(combineShares([secret])).equals(secret)).toBe(true);
    expect(() => combineShares([a, a])).toThrow(/given twice/);
    expect(() => combineShares([a, secret])).toThrow(/differ in length/);
    expect(() => combineShares([])).toThrow(/no share/);
  });

  it("open the root key from their file in either spelling, and say when they are too few or none", async () => {
    const secret = randomBytes(32);
    const [a, b] = split(secret, [1, 2]) as [Uint8Array, Uint8Array];
    const seal = async (text: string): Promise<SealConfig> => ({ type: "shamir", keysFile: await fileOf("keys", text) });
    const spelled = `${Buffer.from(a).toString("base64")}\n\n${Buffer.from(b).toString("hex")}\n`;
    expect(await sealKeyOf(await seal(spelled), shamir)).toEqual(Uint8Array.from(secret));
    await expect(sealKeyOf(await seal(Buffer.from(a).toString("hex")), shamir)).rejects.toThrow(/holds 1 of the 2 unseal keys/);
    await expect(sealKeyOf(await seal("hello\nworld"), shamir)).rejects.toThrow(/32 are expected|no unseal keys/);
  });
});

describe("a seal", () => {
  const finderOf = (entries: ReturnType<typeof madeVault>["entries"]) => {
    const seal = new SealFinder();
    const keyring = new KeyringFinder();
    for (const [key, value] of entries) {
      seal.look({ key, value });
      keyring.look({ key, value });
    }
    return { seal: seal.found, keyring };
  };
  const storedIn = (entries: ReturnType<typeof madeVault>["entries"]): Uint8Array => entries.find(([key]) => key.endsWith("unseal-keys"))?.[1] ?? new Uint8Array();

  it.each(["static", "shamir"] as const)("of the kind %s opens the root key, and that every value", (type) => {
    const key = randomBytes(32);
    const { entries, rootKey } = madeVault(key, type);
    const { seal, keyring } = finderOf(entries);
    expect(seal?.type).toBe(type);
    const opened = openRootKey(key, storedIn(entries), seal ?? needed);
    expect(Buffer.from(opened).equals(rootKey)).toBe(true);
    const reader = BarrierReader.open(opened, keyring.keyring ?? new Uint8Array(), keyring.paths);
    for (const [path, value] of entries) reader.look({ key: path, value });
    expect([reader.errors, reader.count]).toEqual([[], { opened: 2, left: 3 }]);
  });

  it("is recognised where its key is another one: nothing of the snapshot can be read", () => {
    const { entries } = madeVault(randomBytes(32));
    expect(() => openRootKey(randomBytes(32), storedIn(entries), needed)).toThrow(/seal's key that is at hand does not open this snapshot, which needs the static key key-1/);
  });

  it("leaves no value unseen that was changed, moved to another path, or is of an unknown key", () => {
    const key = randomBytes(32);
    const { entries, rootKey } = madeVault(key);
    const { keyring } = finderOf(entries);
    const reader = BarrierReader.open(rootKey, keyring.keyring ?? new Uint8Array(), keyring.paths);
    const value = Buffer.from(entries.at(-1)?.[1] ?? []);
    const flipped = Buffer.from(value);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const otherTerm = Buffer.concat([Buffer.from([0, 0, 0, 9]), value.subarray(4)]);
    for (const [path, changed] of [["logical/a/secret", flipped], ["logical/b", value], ["logical/a/secret", otherTerm], ["logical/c", Buffer.alloc(0)]] as const) reader.look({ key: path, value: changed });
    expect(reader.errors).toHaveLength(4);
    expect(reader.count.opened).toBe(0);
  });

  it("is compared with the one at hand by its kind and its key's name, before anything is started", () => {
    const seal = (value: unknown): SealConfig => vaultConfigSchema.shape.seal.unwrap().parse(value);
    const fixed = seal({ type: "static", keyId: "key-1", keyFile: "/k" });
    expect(sealMismatch(needed, fixed)).toBeUndefined();
    expect(sealMismatch({ ...needed, keyId: "key-0" }, fixed)).toMatch(/opens with the static key key-0 alone, and the key at hand is key-1/);
    expect(sealMismatch(shamir, fixed)).toMatch(/opens with 2 of 3 unseal keys alone, and the seal at hand is static/);
    expect(sealMismatch(kms("mrk-1"), undefined)).toMatch(/awskms key mrk-1 alone, and the configuration names no seal/);
    expect(sealMismatch(undefined, fixed)).toMatch(/nothing can open it/);
  });

  it("is the same where two regions name one key", () => {
    expect(sameKey(kms("arn:aws:kms:us-east-1:1:key/mrk-7"), kms("arn:aws:kms:us-west-2:1:key/mrk-7"))).toBe(true);
    expect(sameKey(kms("arn:aws:kms:us-east-1:1:key/mrk-7"), kms("arn:aws:kms:us-east-1:1:key/mrk-8"))).toBe(false);
    expect(sameKey(needed, kms("key-1"))).toBe(false);
  });
});

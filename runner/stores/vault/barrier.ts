import { z } from "zod";
import { openGcm } from "./open-seal.ts";
import type { StateEntry } from "./state.ts";

/** Vault's encryption of everything it stores: `term (4) version (1) nonce (12) ciphertext tag (16)`. */
const prefixBytes = 5;
const keyringPath = "core/keyring";
/** The version that binds a value to its path. */
const boundVersion = 2;

const keyringSchema = z.object({ Keys: z.array(z.object({ Term: z.number(), Value: z.base64() })).min(1) });

/** In the clear, or encrypted by the seal: they are read before anything is unsealed. */
const outside: ReadonlySet<string> = new Set(["core/seal-config", "core/recovery-config", "core/recovery-key", "core/hsm/barrier-unseal-keys", "core/lock", "core/initialize-lock", "core/unseal-keys-backup", "core/recovery-keys-backup"]);
/** Namespaces with a seal of their own have a keyring of their own: this one does not open them. */
const ownKeyring = /^(namespaces\/[^/]+\/)core\/keyring$/;

export interface BarrierCount {
  readonly opened: number;
  /** Under another keyring, or in the clear. */
  readonly left: number;
}

/** Opens every entry of a snapshot with its root key, and keeps nothing of what it holds. */
export class BarrierReader {
  readonly #keys: ReadonlyMap<number, Uint8Array>;
  readonly #foreign: readonly string[];
  #opened = 0;
  #left = 0;
  readonly errors: string[] = [];

  private constructor(keys: ReadonlyMap<number, Uint8Array>, foreign: readonly string[]) {
    this.#keys = keys;
    this.#foreign = foreign;
  }

  /** `keyring`: the value of `core/keyring`; `paths`: those of all keyrings. Throws where the root key is another one. */
  static open(rootKey: Uint8Array, keyring: Uint8Array, paths: readonly string[]): BarrierReader {
    const parsed = keyringSchema.parse(JSON.parse(openValue(rootKey, keyringPath, keyring).toString("utf8")));
    return new BarrierReader(new Map(parsed.Keys.map(({ Term, Value }) => [Term, Buffer.from(Value, "base64")])), paths.flatMap((path) => ownKeyring.exec(path)?.[1] ?? []));
  }

  look({ key, value }: StateEntry): void {
    if (outside.has(key) || key === keyringPath || this.#foreign.some((prefix) => key.startsWith(prefix))) {
      this.#left += 1;
      return;
    }
    const term = Buffer.from(value.buffer, value.byteOffset, value.byteLength).subarray(0, 4);
    const withKey = term.length === 4 ? this.#keys.get(term.readUInt32BE()) : undefined;
    try {
      if (withKey === undefined) throw new RangeError("no key of the keyring fits it");
      openValue(withKey, key, value);
      this.#opened += 1;
    } catch {
      this.errors.push(`${key}: cannot be decrypted`);
    }
  }

  get count(): BarrierCount {
    return { opened: this.#opened, left: this.#left };
  }
}

/** What is worth remembering on the first way through a snapshot. */
export class KeyringFinder {
  readonly paths: string[] = [];
  keyring: Uint8Array | undefined;

  look({ key, value }: StateEntry): void {
    if (key === keyringPath) this.keyring = Uint8Array.from(value);
    if (key === keyringPath || ownKeyring.test(key)) this.paths.push(key);
  }
}

function openValue(key: Uint8Array, path: string, value: Uint8Array): Buffer {
  return openGcm(key, value.subarray(prefixBytes), value[prefixBytes - 1] === boundVersion ? Buffer.from(path) : undefined);
}

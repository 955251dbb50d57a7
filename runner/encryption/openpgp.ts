import type { Readable } from "node:stream";

export interface EncryptOptions {
  /** The name inside the message, which `gpg` offers as the output file. */
  readonly filename?: string;
  /** Default: false, as dumps and packs are compressed already. */
  readonly compress?: boolean;
  /** Armored public keys that can open the message besides the passphrase. */
  readonly recipients?: readonly string[];
}

const missing = (): never => {
  throw new Error("not built yet");
};

/** OpenPGP, binary, AES-256 with integrity protection (any `gpg` opens it). A failing source fails the result. */
export function encryptStream(_source: Readable, _passphrase: string, _options: EncryptOptions = {}): Readable {
  return missing();
}

/** What came out must be thrown away when the stream ends in an error: integrity is known at the end only. */
export function decryptStream(_source: Readable, _passphrase: string): Readable {
  return missing();
}

export async function encryptBytes(_plain: Uint8Array, _passphrase: string, _options: EncryptOptions = {}): Promise<Buffer> {
  return missing();
}

/** A wrong passphrase is a `DrError` that says so. */
export async function decryptBytes(_message: Uint8Array, _passphrase: string): Promise<Buffer> {
  return missing();
}

/** Decrypts into a file (0600) that exists only when all of it came out whole. */
export async function decryptToFile(_source: Readable, _passphrase: string, _path: string): Promise<{ readonly bytes: number }> {
  return missing();
}

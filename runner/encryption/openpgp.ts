import { randomBytes } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { decryptMessage } from "./decrypt.ts";
import { messageOf } from "../errors.ts";
import { encryptMessage, type EncryptOptions } from "./encrypt.ts";

export type { EncryptOptions } from "./encrypt.ts";

/**
 * A generator as a stream. Not by `Readable.from`: that waits for the generator before it closes, and the generator may
 * be waiting for a source that gives nothing.
 */
function stream(source: Readable, work: AsyncGenerator<Uint8Array, void>): Readable {
  const next = async (): Promise<Uint8Array | null> => {
    for (;;) {
      const step = await work.next();
      if (step.done === true) return null;
      if (step.value.length > 0) return step.value;
    }
  };
  const out: Readable = new Readable({
    highWaterMark: 1024 ** 2,
    read: () => void next().then((chunk) => out.push(chunk), (error: unknown) => out.destroy(error instanceof Error ? error : new Error(messageOf(error)))),
    destroy: (error, done) => {
      source.destroy();
      void work.return().finally(() => done(error)).catch(() => undefined); // its failure comes of the source's end
    },
  });
  return out;
}

/**
 * OpenPGP, binary: AES-256 with integrity protection of version 1, which every `gpg` opens. A failing source fails the
 * result; a result that is destroyed destroys its source.
 */
export function encryptStream(source: Readable, passphrase: string, options: EncryptOptions = {}): Readable {
  return stream(source, encryptMessage(source, passphrase, options));
}

/**
 * Decrypts as it reads. Integrity is known at the end only: where the stream ends in an error, what came out must be
 * thrown away. A wrong passphrase is a `DrError` that says so, before the first byte.
 */
export function decryptStream(source: Readable, passphrase: string): Readable {
  return stream(source, decryptMessage(source, passphrase));
}

export async function encryptBytes(plain: Uint8Array, passphrase: string, options: EncryptOptions = {}): Promise<Buffer> {
  return buffer(encryptStream(Readable.from([plain]), passphrase, options));
}

export async function decryptBytes(message: Uint8Array, passphrase: string): Promise<Buffer> {
  return buffer(decryptStream(Readable.from([message]), passphrase));
}

/** Decrypts into a file (0600) that exists only when all of it came out whole; a file that is there is replaced. */
export async function decryptToFile(source: Readable, passphrase: string, path: string): Promise<{ readonly bytes: number }> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o600);
    let bytes = 0;
    try {
      for await (const chunk of decryptStream(source, passphrase) as AsyncIterable<Uint8Array>) {
        await writeFully(file, chunk);
        bytes += chunk.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return { bytes };
  } finally {
    await rm(temporary, { force: true });
    source.destroy();
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) written += (await file.write(chunk, written)).bytesWritten;
}

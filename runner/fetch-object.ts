/** One object of a backup, brought into a file, decrypted. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { pipeline, Transform } from "node:stream";
import type { BackupRecord, StoredObject } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { firstUsable, type RejectedCopy } from "./copies.ts";
import { decryptToFile } from "./encryption/openpgp.ts";
import { DrError } from "./errors.ts";
import type { StorageBackend } from "./storage/backend.ts";

export interface FetchedObject {
  readonly backend: string;
  /** Decrypted. */
  readonly bytes: number;
  /** Copies that could not be used on the way. */
  readonly rejected: readonly RejectedCopy[];
}

/** Brings one object of a backup into `path`, decrypted (0600), from the first backend whose copy is whole. */
export async function fetchObject(context: RunContext, record: BackupRecord, object: StoredObject, path: string): Promise<FetchedObject> {
  const passphrase = await context.passphrase();
  const { backend, value, rejected } = await firstUsable(context, record, object.key, (from) => fetchCopy(from, object, passphrase, path, context.signal));
  return { backend, bytes: value.bytes, rejected };
}

/**
 * Brings one backend's copy into `path`, decrypted (0600); the file is there only when the copy was whole. Bytes are
 * read once: only where decryption fails they are read again, to tell a damaged object from a wrong passphrase.
 */
export async function fetchCopy(backend: StorageBackend, object: StoredObject, passphrase: string, path: string, signal: AbortSignal): Promise<{ readonly bytes: number }> {
  const source = await backend.get(object.key, undefined, signal);
  signal.throwIfAborted(); // it went down with its signal
  const { tap, digest, bytes } = meter(signal);
  pipeline(source, tap, () => undefined); // an error reaches decryptToFile through the tap
  let result: { readonly bytes: number };
  try {
    result = await decryptToFile(tap, passphrase, path);
  } catch (cause) {
    signal.throwIfAborted();
    const found = await sha256Of(backend, object.key, signal);
    if (found !== object.sha256) throw damaged(backend, object.key, `its sha256 is ${found}, the record says ${object.sha256}`, cause);
    throw cause; // the object is as it was written: the passphrase is another one
  }
  const found = digest();
  if (found === object.sha256) return result;
  await rm(path, { force: true });
  throw damaged(backend, object.key, `its sha256 is ${found}, the record says ${object.sha256} (${bytes()} bytes, ${object.bytes} expected)`);
}

/** Counts and hashes what runs through it. */
function meter(signal: AbortSignal): { readonly tap: Transform; readonly digest: () => string; readonly bytes: () => number } {
  const hash = createHash("sha256");
  let bytes = 0;
  const tap = new Transform({
    signal,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  tap.on("error", () => undefined); // whoever reads it hears of it, also where it comes before they do
  return { tap, digest: () => hash.digest("hex"), bytes: () => bytes };
}

async function sha256Of(backend: StorageBackend, key: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of await backend.get(key, undefined, signal)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const damaged = (backend: StorageBackend, key: string, what: string, cause?: unknown) =>
  new DrError({ kind: "failed", what: `the object is damaged: ${what}`, where: backend.uri(key), todo: "Use another backend's copy, and find out what changed this one.", cause });

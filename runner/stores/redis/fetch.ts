import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { pipeline, Transform } from "node:stream";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { decryptToFile } from "../../encryption/openpgp.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";

/** A copy that could not be used, and why; told to whoever recovers, since the backup has one copy less than it says. */
export interface RejectedCopy {
  readonly backend: string;
  readonly error: string;
}

export interface FetchedCopy {
  readonly backend: string;
  readonly bytes: number;
  readonly rejected: readonly RejectedCopy[];
}

/** The object of a record that consists of one. */
export function onlyObject(record: BackupRecord): StoredObject {
  const [object, ...more] = record.objects;
  if (object !== undefined && more.length === 0) return object;
  throw new DrError({ kind: "failed", what: `the record names ${record.objects.length} objects where one is expected`, where: record.id, todo: "Choose another backup." });
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
  return { tap, digest: () => hash.digest("hex"), bytes: () => bytes };
}

async function sha256Of(backend: StorageBackend, key: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of await backend.get(key, undefined, signal)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const damaged = (backend: StorageBackend, key: string, what: string, cause?: unknown) =>
  new DrError({ kind: "failed", what: `the object is damaged: ${what}`, where: backend.uri(key), todo: "Use another backend's copy, and find out what changed this one.", cause });

/**
 * Brings one backend's copy into `path`, decrypted (0600); the file is there only when the copy was whole. Bytes are
 * read once: only where decryption fails they are read again, to tell a damaged object from a wrong passphrase.
 */
export async function fetchCopy(backend: StorageBackend, object: StoredObject, passphrase: string, path: string, signal: AbortSignal): Promise<{ readonly bytes: number }> {
  const { tap, digest, bytes } = meter(signal);
  const source = await backend.get(object.key, undefined, signal);
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

/** Brings the first copy that is whole, in the configuration's order of backends, and says which ones were not. */
export async function fetchAnyCopy(context: RunContext, record: BackupRecord, path: string): Promise<FetchedCopy> {
  const object = onlyObject(record);
  const passphrase = await context.passphrase();
  const rejected: RejectedCopy[] = [];
  for (const backend of context.backends) {
    const copy = record.copies.find((candidate) => candidate.backend === backend.name);
    if (copy?.status !== "ok") {
      rejected.push({ backend: backend.name, error: copy === undefined ? "the record names no copy here" : `was never written: ${copy.error}` });
      continue;
    }
    try {
      const { bytes } = await fetchCopy(backend, object, passphrase, path, context.signal);
      return { backend: backend.name, bytes, rejected };
    } catch (error) {
      context.signal.throwIfAborted();
      rejected.push({ backend: backend.name, error: messageOf(error) });
      context.report({ step: `the copy in ${backend.name} cannot be used, taking the next: ${messageOf(error)}` });
    }
  }
  throw new DrError({ kind: "failed", what: `no copy of the backup can be used: ${rejected.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: record.id, todo: "Correct what is named, or choose another backup (`dr catalog list`)." });
}

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { decryptStream } from "../../encryption/openpgp.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { toStorageError } from "../../storage/faults.ts";
import { SnapshotInspector, type SnapshotSummary } from "./archive.ts";
import type { StateEntry } from "./state.ts";

/** A copy that could not be used, and why; told to whoever recovers, since the backup has one copy less than it says. */
export interface RejectedCopy {
  readonly backend: string;
  readonly error: string;
}

/** The object of a record that consists of one. */
export function onlyObject(record: BackupRecord): StoredObject {
  const [object, ...more] = record.objects;
  if (object !== undefined && more.length === 0) return object;
  throw new DrError({ kind: "failed", what: `the record names ${record.objects.length} objects where one is expected`, where: record.id, todo: "Choose another backup." });
}

/** Brings one backend's copy into `path` (0600) as it is stored, encrypted. The file is there only where it is whole. */
export async function fetchCopy(backend: StorageBackend, object: StoredObject, path: string, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const file = await open(path, "wx", 0o600);
    try {
      const source = await backend.get(object.key, undefined, signal);
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        bytes += chunk.length;
        await file.writeFile(chunk).catch((error: unknown) => {
          throw toStorageError(error, path);
        });
      }
    } finally {
      await file.close();
    }
    const found = hash.digest("hex");
    if (found !== object.sha256) throw new DrError({ kind: "failed", what: `the object is damaged: its sha256 is ${found}, the record says ${object.sha256} (${bytes} bytes, ${object.bytes} expected)`, where: backend.uri(object.key), todo: "Use another backend's copy, and find out what changed this one." });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** What an encrypted file holds, decrypted as it is read: the snapshot itself never lies on a disk. */
export function openSnapshot(path: string, passphrase: string): Readable {
  return decryptStream(createReadStream(path), passphrase);
}

/** Reads an encrypted file to its end: it decrypts, and the archive in it is whole. */
export async function inspect(path: string, passphrase: string, onEntry?: (entry: StateEntry) => void): Promise<SnapshotSummary> {
  const inspector = new SnapshotInspector(path, onEntry);
  const done = new Promise<void>((resolve, reject) => pipeline(openSnapshot(path, passphrase), inspector, (error) => (error ? reject(error) : resolve())));
  inspector.resume();
  await done;
  return inspector.summary;
}

export interface FetchedSnapshot {
  readonly backend: string;
  readonly summary: SnapshotSummary;
  readonly rejected: readonly RejectedCopy[];
}

/** Brings the first copy that is whole, in the configuration's order of backends, and says which ones were not. */
export async function fetchAnyCopy(context: RunContext, record: BackupRecord, path: string): Promise<FetchedSnapshot> {
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
      await fetchCopy(backend, object, path, context.signal);
      return { backend: backend.name, summary: await inspect(path, passphrase), rejected };
    } catch (error) {
      context.signal.throwIfAborted();
      await rm(path, { force: true });
      rejected.push({ backend: backend.name, error: messageOf(error) });
      context.report({ step: `the copy in ${backend.name} cannot be used, taking the next: ${messageOf(error)}` });
    }
  }
  throw new DrError({ kind: "failed", what: `no copy of the backup can be used: ${rejected.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: record.id, todo: "Correct what is named, or choose another backup (`dr catalog list`)." });
}

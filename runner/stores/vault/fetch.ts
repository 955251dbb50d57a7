import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { decryptStream } from "../../encryption/openpgp.ts";
import { firstUsable, onlyObject, type UsedCopy } from "../../copies.ts";
import { DrError } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { toStorageError } from "../../storage/faults.ts";
import { SnapshotInspector, type SnapshotSummary } from "./archive.ts";
import type { StateEntry } from "./state.ts";

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

/** Brings the first copy that is whole, and says which ones were not. */
export async function fetchAnyCopy(context: RunContext, record: BackupRecord, path: string): Promise<UsedCopy<SnapshotSummary>> {
  const object = onlyObject(record);
  const passphrase = await context.passphrase();
  return firstUsable(context, record, "the backup", async (backend) => {
    await fetchCopy(backend, object, path, context.signal);
    try {
      return await inspect(path, passphrase);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  });
}

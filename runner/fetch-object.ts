import type { BackupRecord, StoredObject } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { DrError, messageOf } from "./errors.ts";
import { fetchCopy, type RejectedCopy } from "./stores/redis/fetch.ts";

export interface FetchedObject {
  readonly backend: string;
  /** Decrypted. */
  readonly bytes: number;
  /** Copies that could not be used on the way. */
  readonly rejected: readonly RejectedCopy[];
}

/**
 * Brings one object of a backup into `path`, decrypted (0600), from the first backend whose copy is whole. A backend
 * whose copy of the backup failed as a whole may still have this object, so it is asked last.
 */
export async function fetchObject(context: RunContext, record: BackupRecord, object: StoredObject, path: string): Promise<FetchedObject> {
  const passphrase = await context.passphrase();
  const standing = new Set(record.copies.flatMap((copy) => (copy.status === "ok" ? [copy.backend] : [])));
  const order = [...context.backends.filter(({ name }) => standing.has(name)), ...context.backends.filter(({ name }) => !standing.has(name))];
  const rejected: RejectedCopy[] = [];
  for (const backend of order) {
    try {
      const { bytes } = await fetchCopy(backend, object, passphrase, path, context.signal);
      return { backend: backend.name, bytes, rejected };
    } catch (error) {
      context.signal.throwIfAborted();
      rejected.push({ backend: backend.name, error: messageOf(error) });
      context.report({ step: `the copy in ${backend.name} cannot be used, taking the next: ${messageOf(error)}` });
    }
  }
  throw new DrError({ kind: "failed", what: `no copy of ${object.key} can be used: ${rejected.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: record.id, todo: "Correct what is named, or choose another backup (`dr catalog list`)." });
}

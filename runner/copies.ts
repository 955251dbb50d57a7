/** The copies of a backup as a recovery meets them: the first whole one is used, and the others are told of. */
import type { BackupRecord, StoredObject } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { DrError, messageOf } from "./errors.ts";
import type { StorageBackend } from "./storage/backend.ts";

/** A copy that could not be used, and why; told to whoever recovers, since the backup has one copy less than it says. */
export interface RejectedCopy {
  readonly backend: string;
  readonly error: string;
}

export interface UsedCopy<T> {
  readonly backend: string;
  readonly value: T;
  readonly rejected: readonly RejectedCopy[];
}

/** The object of a record that consists of one. */
export function onlyObject(record: BackupRecord): StoredObject {
  const [object, ...more] = record.objects;
  if (object !== undefined && more.length === 0) return object;
  throw new DrError({ kind: "failed", what: `the record names ${record.objects.length} objects where one is expected`, where: record.id, todo: "Choose another backup." });
}

/**
 * What `read` makes of the first copy that it does not throw at, in the configuration's order of backends. A copy that
 * failed when it was made may still have what is wanted, so it is tried last. Throws where none can be used, with what
 * is wrong with each. `what`: the part of the backup that is read, for that error.
 */
export async function firstUsable<T>(context: RunContext, record: BackupRecord, what: string, read: (backend: StorageBackend) => Promise<T>): Promise<UsedCopy<T>> {
  const made = new Map(record.copies.map((copy) => [copy.backend, copy.status === "ok" ? undefined : copy.error]));
  const unmade = new Map(context.backends.flatMap(({ name }) => {
    const error = made.has(name) ? made.get(name) : "the record names no copy here";
    return error === undefined ? [] : [[name, made.has(name) ? `it failed when it was made: ${error}` : error] as const];
  }));
  const rejected = new Map(unmade);
  for (const backend of [...context.backends.filter(({ name }) => !unmade.has(name)), ...context.backends.filter(({ name }) => unmade.has(name))]) {
    try {
      const value = await read(backend);
      rejected.delete(backend.name);
      return { backend: backend.name, value, rejected: listOf(rejected) };
    } catch (error) {
      context.signal.throwIfAborted();
      rejected.set(backend.name, [unmade.get(backend.name), messageOf(error)].filter((part) => part !== undefined).join("; now: "));
      context.report({ step: `the copy in ${backend.name} cannot be used, taking the next: ${messageOf(error)}` });
    }
  }
  throw new DrError({ kind: "failed", what: `no copy of ${what} can be used: ${listOf(rejected).map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: record.id, todo: "Correct what is named, or choose another backup (`dr catalog list`)." });
}

/** Adds what `list` does not say yet: the parts of one backup meet the same damaged copy again and again. */
export function addRejected(list: RejectedCopy[], more: readonly RejectedCopy[]): void {
  list.push(...more.filter(({ backend, error }) => !list.some((known) => known.backend === backend && known.error === error)));
}

const listOf = (rejected: ReadonlyMap<string, string>): RejectedCopy[] => [...rejected].map(([backend, error]) => ({ backend, error }));

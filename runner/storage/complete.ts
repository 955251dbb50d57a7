import { createHash } from "node:crypto";
import { pipeline, Transform } from "node:stream";
import type { StoredObject } from "../catalog/record.ts";
import { messageOf } from "../errors.ts";
import type { StorageBackend } from "./backend.ts";
import { StorageError } from "./faults.ts";

/** Where an object of an earlier run stands now. */
export interface Standing {
  /** By the backend's name: absent where the object is there and has its size. */
  readonly errors: ReadonlyMap<string, string>;
  /** Whether any backend has it. */
  readonly found: boolean;
}

/**
 * Looks whether every backend still has an object that a new backup goes on using, and copies it, as it is, to those
 * that lack it (one that was down when it was written). A copy that does not have the record's checksum is withdrawn.
 */
export async function completeObject(backends: readonly StorageBackend[], object: StoredObject, signal: AbortSignal): Promise<Standing> {
  const errors = new Map<string, string>();
  const present: StorageBackend[] = [];
  const absent: StorageBackend[] = [];
  await Promise.all(
    backends.map(async (backend) => {
      try {
        const found = await backend.head(object.key);
        (found?.bytes === object.bytes ? present : absent).push(backend);
      } catch (error) {
        errors.set(backend.name, messageOf(error));
      }
    }),
  );
  for (const backend of absent) {
    const error = await copyFromAny(present, backend, object, signal);
    if (error !== undefined) errors.set(backend.name, error);
  }
  signal.throwIfAborted();
  return { errors, found: present.length > 0 };
}

/** Says why it could not be copied, or nothing. */
async function copyFromAny(sources: readonly StorageBackend[], target: StorageBackend, object: StoredObject, signal: AbortSignal): Promise<string | undefined> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      await copyObject(source, target, object, signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(`from ${source.name}: ${messageOf(error)}`);
    }
  }
  return `${target.uri(object.key)} is missing${reasons.length === 0 ? "" : ` and could not be copied: ${reasons.join("; ")}`}`;
}

async function copyObject(source: StorageBackend, target: StorageBackend, object: StoredObject, signal: AbortSignal): Promise<void> {
  const checked = checkedStream(object, source.uri(object.key));
  const body = await source.get(object.key, undefined, signal);
  pipeline(body, checked, () => undefined); // its error is that of `checked`
  await target.put(object.key, checked, { expectedBytes: object.bytes, signal });
}

/** Fails at its end where what ran through is not the object: whoever writes it down then keeps nothing of it. */
export function checkedStream(object: StoredObject, where: string): Transform {
  const hash = createHash("sha256");
  return new Transform({
    highWaterMark: 1024 ** 2,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const found = hash.digest("hex");
      done(found === object.sha256 ? null : new StorageError("other", `the object is damaged: its sha256 is ${found}, the record says ${object.sha256}`, where));
    },
  });
}

/** What the catalog's records say of the objects that were copied: checksums, and which of them are missing. */
import { keyOf, parseKey, root } from "../../catalog/ids.ts";
import { unsealAs } from "../../catalog/envelope.ts";
import type { BackupRecord } from "../../catalog/record.ts";
import type { StorageBackend } from "../backend.ts";
import { StorageError } from "../faults.ts";

/** Records kept at hand: objects come in the order of their keys, so those of one backup follow each other. */
const atHand = 64;
/** Read at once, and held while their objects are looked for. */
const batch = 32;

/** `redis/ID/dump.rdb.pgp`: the store and the backup that an object belongs to. */
function ownerOf(key: string): { readonly store: string; readonly id: string } | undefined {
  const [, store, id] = /^([a-z-]+)\/([^/]+)\/./.exec(key) ?? [];
  return store === undefined || id === undefined ? undefined : { store, id };
}

async function readRecord(backend: StorageBackend, key: string): Promise<BackupRecord | undefined> {
  try {
    const record = unsealAs(key, await backend.read(key));
    return "damage" in record ? undefined : record; // the recovery says so by name
  } catch (error) {
    if (error instanceof StorageError && error.fault === "missing-object") return undefined;
    throw error;
  }
}

/** The checksums of objects, by the records beside them. */
export class RecordedSums {
  readonly #backend: StorageBackend;
  readonly #records = new Map<string, Promise<BackupRecord | undefined>>();

  constructor(backend: StorageBackend) {
    this.#backend = backend;
  }

  /** `undefined`: no record names it; pgBackRest's and a shipper's objects have none. */
  async of(key: string): Promise<string | undefined> {
    const owner = ownerOf(key);
    if (owner === undefined || parseKey(keyOf(owner.store, owner.id)) === undefined || !startsWithTime.test(owner.id)) return undefined;
    const where = keyOf(owner.store, owner.id);
    const known = this.#records.get(where) ?? readRecord(this.#backend, where);
    this.#records.set(where, known);
    const [oldest] = this.#records.keys();
    if (this.#records.size > atHand && oldest !== undefined) this.#records.delete(oldest);
    return (await known)?.objects.find((object) => object.key === key)?.sha256;
  }
}

/** A backup's id begins with its time: nothing else is asked the catalog for. */
const startsWithTime = /^\d{8}T\d{9}Z-/;

/** An object that a record names and that is not there, or not whole. */
export interface MissingObject {
  readonly key: string;
  readonly record: string;
  readonly why: string;
}

/**
 * Every record that says it has a copy in `backend` against the objects that stand in `target`. Records and objects are
 * both listed in the order of their ids and read side by side, so that memory does not grow with their number. What an
 * older backup wrote is judged with that one.
 */
export async function* missingObjects(target: StorageBackend, backend: string): AsyncGenerator<MissingObject, void> {
  for (const store of await storesIn(target)) {
    const objects = new Objects(target, store);
    for await (const records of batches(target, store)) {
      for (const record of records) {
        if (!record.copies.some((copy) => copy.backend === backend && copy.status === "ok")) continue;
        const own = record.objects.filter(({ key }) => key.startsWith(`${store}/${record.id}/`));
        if (own.length === 0) continue;
        const there = await objects.of(record.id);
        for (const { key, bytes } of own) {
          const found = there.get(key);
          if (found !== bytes) yield { key, record: record.id, why: found === undefined ? "no version of it survives" : `it has ${found} bytes, the record says ${bytes}` };
        }
      }
    }
  }
}

/** Two steps, as each store has its own folder: a listing is asked for what comes behind the last one. */
async function storesIn(target: StorageBackend): Promise<string[]> {
  const stores: string[] = [];
  for (;;) {
    const last = stores.at(-1);
    const next = await first(target.list(root, last === undefined ? undefined : `${root}${last}/~`));
    const store = next === undefined ? undefined : parseKey(next.key)?.store;
    if (store === undefined || store === last) return stores;
    stores.push(store);
  }
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

async function* batches(target: StorageBackend, store: string): AsyncGenerator<BackupRecord[], void> {
  const keys: string[] = [];
  const read = async (): Promise<BackupRecord[]> => (await Promise.all(keys.splice(0).map((key) => readRecord(target, key)))).filter((record) => record !== undefined);
  for await (const { key } of target.list(`${root}${store}/`)) {
    if (parseKey(key) !== undefined) keys.push(key);
    if (keys.length === batch) yield read();
  }
  yield read();
}

/** The objects of a store, asked for backup by backup in the order of their ids. */
class Objects {
  readonly #listing: AsyncIterator<{ readonly key: string; readonly bytes: number }>;
  #next: { readonly key: string; readonly bytes: number } | undefined;
  #begun = false;

  constructor(target: StorageBackend, store: string) {
    this.#listing = target.list(`${store}/`)[Symbol.asyncIterator]();
  }

  async of(id: string): Promise<ReadonlyMap<string, number>> {
    const own = new Map<string, number>();
    if (!this.#begun) await this.#step();
    for (let owner = this.#owner(); owner !== undefined && owner <= id; owner = this.#owner()) {
      if (owner === id && this.#next !== undefined) own.set(this.#next.key, this.#next.bytes);
      await this.#step();
    }
    return own;
  }

  #owner(): string | undefined {
    return this.#next === undefined ? undefined : (this.#next.key.split("/")[1] ?? "");
  }

  async #step(): Promise<void> {
    this.#begun = true;
    const step = await this.#listing.next();
    this.#next = step.done === true ? undefined : step.value;
  }
}

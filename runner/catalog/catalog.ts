import { createHash } from "node:crypto";
import { DrError, messageOf } from "../errors.ts";
import type { ListedObject, StorageBackend } from "../storage/backend.ts";
import type { Clock } from "../system/clock.ts";
import { seal, unsealAs, type Damaged } from "./envelope.ts";
import { keyBefore, keyOf, makeId, nearest, parseKey, root } from "./ids.ts";
import { outcomeOf, type BackupRecord } from "./record.ts";

/** Records on their way at once from one backend: small objects, so latency is what costs. */
const readsAtOnce = 16;
/** An id is made a moment before or after its record's `startedAt`. In ms. */
const idMargin = 3_600 * 1_000;

export interface CatalogFilter {
  readonly store?: string;
  readonly kind?: string;
  /** Started at or after. */
  readonly since?: Date;
  /** Started at or before. */
  readonly until?: Date;
}

export interface CatalogOptions {
  readonly readOnly?: boolean;
  /** What is held of a record that was read, where not all of it is wanted: a listing returns this. */
  readonly keep?: (record: BackupRecord) => BackupRecord;
  /** Called before a record is written: the step at which a backup becomes one. */
  readonly onWrite?: () => void;
}

/** A record or a backend that could not be read; named, so that a person finds it. */
export interface CatalogProblem {
  readonly backend: string;
  /** The record's key; missing where the backend as a whole could not be read. */
  readonly key?: string;
  readonly what: string;
}

export interface CatalogFailure {
  readonly backend: string;
  readonly error: string;
}

export interface CatalogListing {
  /** Newest last. */
  readonly records: BackupRecord[];
  readonly problems: CatalogProblem[];
}

/** A record as it stands somewhere, and what tells two of them apart without writing them out again. */
interface Known {
  readonly result: BackupRecord | Damaged;
  readonly digest: string;
}

interface Sighting extends Known {
  readonly id: string;
  readonly backend: string;
  readonly key: string;
}

/**
 * The records of every backup, in every backend: `catalog/STORE/ID.json`. They are written once and never changed.
 * What is in one backend only counts as much as what is in all: a listing merges them by id.
 */
export class Catalog {
  readonly isReadOnly: boolean;
  readonly #backends: readonly StorageBackend[];
  readonly #clock: Clock;
  /** Records that were read already, by what would change if they did: the exporter lists every minute. */
  readonly #seen = new Map<string, Known>();
  /** The newest of a key that was read, wherever it stands. */
  readonly #byKey = new Map<string, WeakRef<Known>>();

  readonly #keep: (record: BackupRecord) => BackupRecord;
  readonly #onWrite: () => void;

  constructor(backends: readonly StorageBackend[], clock: Clock, options: CatalogOptions = {}) {
    this.#backends = backends;
    this.#clock = clock;
    this.isReadOnly = options.readOnly ?? false;
    this.#keep = options.keep ?? ((record) => record);
    this.#onWrite = options.onWrite ?? (() => undefined);
  }

  /** An id for a backup that begins now; sorts by time: `20261122T203000123Z-redis-snapshot-4f2a`. */
  newId(store: string, kind: string): string {
    return makeId(this.#clock.now(), store, kind);
  }

  /** Writes the record to every backend, and says which did not take it; throws only where none did. */
  async write(record: BackupRecord): Promise<{ readonly failed: CatalogFailure[] }> {
    if (this.isReadOnly) throw new DrError({ kind: "refused", what: `the record ${record.id} is not written, as the credentials are for reading only`, where: "catalog", todo: "Run backups with the writer's configuration, not with a drill's or a recovery's." });
    this.#onWrite();
    const key = keyOf(record.store, record.id);
    const body = Buffer.from(seal(record));
    const failed: CatalogFailure[] = [];
    await Promise.all(
      this.#backends.map((backend) =>
        backend.put(key, body, { contentType: "application/json" }).catch((error: unknown) => failed.push({ backend: backend.name, error: messageOf(error) })),
      ),
    );
    if (failed.length === this.#backends.length) throw nothingReached(`the record ${record.id} could not be written to any backend`, failed.map(({ backend, error }) => ({ backend, what: error })));
    return { failed };
  }

  /**
   * Every backend's records, merged by id. A damaged record is a named problem and its copy elsewhere is used; a
   * backend that cannot be reached is a named problem too. Throws only where no backend can be listed.
   */
  async list(filter: CatalogFilter = {}): Promise<CatalogListing> {
    const { keys, problems } = await this.#keys(filter);
    if (filter.store === undefined) this.#forget(keys);
    const sightings = (await Promise.all(keys.map(({ backend, objects }) => this.#readAll(backend, objects, problems)))).flat();
    return merge(sightings, problems, filter);
  }

  /** Lets go of what is not there any more: whoever lists for months does not keep what has expired. */
  #forget(keys: readonly { readonly backend: StorageBackend; readonly objects: readonly ListedObject[] }[]): void {
    const there = new Set(keys.flatMap(({ backend, objects }) => objects.map((object) => versionOf(backend, object))));
    const listed = new Set(keys.map(({ backend }) => backend.name));
    for (const version of this.#seen.keys()) if (!there.has(version) && listed.has(version.split(" ")[0] ?? "")) this.#seen.delete(version);
    for (const [key, known] of this.#byKey) if (known.deref() === undefined) this.#byKey.delete(key);
  }

  /**
   * A backup by its id, or `latest`: the newest that passes the filter and whose outcome is not `failed`. An unknown
   * id is an error that names the nearest ones.
   */
  async find(idOrLatest: string, filter: CatalogFilter = {}): Promise<BackupRecord> {
    if (idOrLatest === "latest") return this.#latest(filter);
    const { keys, problems } = await this.#keys(filter);
    const wanted = keys.map(({ backend, objects }) => ({ backend, objects: objects.filter(({ key }) => parseKey(key)?.id === idOrLatest) }));
    const sightings = (await Promise.all(wanted.map(({ backend, objects }) => this.#readAll(backend, objects, problems)))).flat();
    const { records, problems: found } = merge(sightings, problems, filter);
    const [record] = records;
    if (record !== undefined) return record;
    if (sightings.length > 0) throw new DrError({ kind: "failed", what: `the record of ${idOrLatest} cannot be used: ${describe(found)}`, where: "catalog", todo: "Use another backup: `dr catalog list`." });
    const ids = [...new Set(keys.flatMap(({ objects }) => objects.map(({ key }) => parseKey(key)?.id ?? "")))];
    const close = nearest(idOrLatest, ids);
    throw new DrError({
      kind: "usage",
      what: `there is no backup ${idOrLatest}${filter.store === undefined ? "" : ` of ${filter.store}`}${found.length === 0 ? "" : ` in what could be read: ${describe(found)}`}`,
      where: "catalog",
      todo: close.length === 0 ? "The catalog is empty: make a backup first." : `The nearest: ${close.join(", ")}. \`dr catalog list\` shows all.`,
    });
  }

  async #latest(filter: CatalogFilter): Promise<BackupRecord> {
    const { records, problems } = await this.list(filter);
    const newest = records.findLast((record) => outcomeOf(record) !== "failed");
    if (newest !== undefined) return newest;
    const what = [filter.store, filter.kind].filter((part) => part !== undefined).join(" ");
    throw new DrError({ kind: "failed", what: `there is no usable backup${what === "" ? "" : ` of ${what}`}${problems.length === 0 ? "" : `: ${describe(problems)}`}`, where: "catalog", todo: "Look at `dr catalog list`, and make a backup." });
  }

  /** The records' keys of every backend that can be listed. */
  async #keys(filter: CatalogFilter): Promise<{ readonly keys: { readonly backend: StorageBackend; readonly objects: ListedObject[] }[]; readonly problems: CatalogProblem[] }> {
    const problems: CatalogProblem[] = [];
    const keys = await Promise.all(
      this.#backends.map(async (backend) => {
        try {
          return { backend, objects: await listKeys(backend, filter) };
        } catch (error) {
          problems.push({ backend: backend.name, what: messageOf(error) });
          return undefined;
        }
      }),
    );
    if (problems.length === this.#backends.length) throw nothingReached("no backend's catalog can be read", problems);
    return { keys: keys.filter((entry) => entry !== undefined), problems };
  }

  async #readAll(backend: StorageBackend, objects: readonly ListedObject[], problems: CatalogProblem[]): Promise<Sighting[]> {
    const sightings: Sighting[] = [];
    const queue = [...objects];
    const worker = async () => {
      for (let object = queue.pop(); object !== undefined; object = queue.pop()) {
        const { key } = object;
        const id = parseKey(key)?.id ?? "";
        try {
          sightings.push({ id, backend: backend.name, key, ...(await this.#read(backend, object)) });
        } catch (error) {
          problems.push({ backend: backend.name, key, what: messageOf(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: readsAtOnce }, worker));
    return sightings;
  }

  async #read(backend: StorageBackend, object: ListedObject): Promise<Known> {
    const version = versionOf(backend, object);
    const known = this.#seen.get(version);
    if (known !== undefined) return known;
    const { key } = object;
    const body = await backend.read(key);
    const digest = createHash("sha256").update(body).digest("base64");
    const judged = this.#seenElsewhere(object, digest) ?? { result: this.#kept(unsealAs(key, body)), digest };
    this.#seen.set(version, judged);
    this.#byKey.set(key, new WeakRef(judged));
    return judged;
  }

  #kept(result: BackupRecord | Damaged): BackupRecord | Damaged {
    return "damage" in result ? result : this.#keep(result);
  }

  /** The same record in another backend is the same object here: it is not held twice. */
  #seenElsewhere({ key }: ListedObject, digest: string): Known | undefined {
    const known = this.#byKey.get(key)?.deref();
    return known?.digest === digest ? known : undefined;
  }
}

const versionOf = (backend: StorageBackend, { key, bytes, modifiedAt }: ListedObject): string => `${backend.name} ${key} ${bytes} ${modifiedAt.getTime()}`;

async function listKeys(backend: StorageBackend, { store, since }: CatalogFilter): Promise<ListedObject[]> {
  const after = store === undefined || since === undefined ? undefined : keyBefore(store, new Date(since.getTime() - idMargin));
  const objects: ListedObject[] = [];
  for await (const object of backend.list(store === undefined ? root : `${root}${store}/`, after)) {
    if (parseKey(object.key) !== undefined) objects.push(object);
  }
  return objects;
}

function merge(sightings: readonly Sighting[], before: readonly CatalogProblem[], filter: CatalogFilter): CatalogListing {
  const problems = [...before];
  const byId = new Map<string, BackupRecord>();
  const digests = new Map<string, string>();
  for (const { id, backend, key, result, digest } of sightings) {
    if ("damage" in result) problems.push({ backend, key, what: result.damage });
    else {
      const other = digests.get(id);
      if (other === undefined) {
        byId.set(id, result);
        digests.set(id, digest);
      } else if (other !== digest) problems.push({ backend, key, what: "the record differs from the one in another backend, though records are never changed" });
    }
  }
  const records = [...byId.values()].filter((record) => passes(record, filter)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const place = ({ backend, key = "" }: CatalogProblem) => `${backend} ${key}`;
  return { records, problems: problems.sort((a, b) => (place(a) < place(b) ? -1 : 1)) };
}

function passes(record: BackupRecord, { store, kind, since, until }: CatalogFilter): boolean {
  const started = new Date(record.startedAt);
  return (store ?? record.store) === record.store && (kind ?? record.kind) === record.kind && started >= (since ?? started) && started <= (until ?? started);
}

const describe = (problems: readonly CatalogProblem[]): string => problems.map(({ backend, key, what }) => `${backend}${key === undefined ? "" : ` ${key}`}: ${what}`).join("; ");

function nothingReached(what: string, problems: readonly CatalogProblem[]): DrError {
  return new DrError({ kind: "unavailable", what: `${what}: ${describe(problems)}`, where: "catalog", todo: "Repair one of the backends; each message says what is wrong with it." });
}

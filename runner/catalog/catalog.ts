import type { StorageBackend } from "../storage/backend.ts";
import type { Clock } from "../system/clock.ts";
import type { BackupRecord } from "./record.ts";

export interface CatalogFilter {
  readonly store?: string;
  readonly kind?: string;
  /** Started at or after. */
  readonly since?: Date;
  /** Started at or before. */
  readonly until?: Date;
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

export class Catalog {
  readonly isReadOnly: boolean;
  readonly #backends: readonly StorageBackend[];
  readonly #clock: Clock;

  constructor(backends: readonly StorageBackend[], clock: Clock, options: { readonly readOnly?: boolean } = {}) {
    this.#backends = backends;
    this.#clock = clock;
    this.isReadOnly = options.readOnly ?? false;
  }

  /** Sorts by time: `20261122T203000123Z-redis-snapshot-4f2a`. */
  newId(store: string, kind: string): string {
    throw new Error(`not built yet: ${store} ${kind} ${this.#clock.now().toISOString()}`);
  }

  /** Writes the record to every backend; throws only where none took it. */
  write(record: BackupRecord): Promise<{ readonly failed: CatalogFailure[] }> {
    return Promise.reject(new Error(`not built yet: ${record.id} ${this.#backends.length}`));
  }

  /** Newest last. Throws only where no backend can be reached. */
  list(_filter: CatalogFilter = {}): Promise<{ readonly records: BackupRecord[]; readonly problems: CatalogProblem[] }> {
    return Promise.reject(new Error("not built yet"));
  }

  /** A backup by its id, or `latest`: the newest of the filter whose outcome is not `failed`. */
  find(idOrLatest: string, _filter: CatalogFilter = {}): Promise<BackupRecord> {
    return Promise.reject(new Error(`not built yet: ${idOrLatest}`));
  }
}

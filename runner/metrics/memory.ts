import type { CatalogListing } from "../catalog/catalog.ts";
import type { BackupRecord } from "../catalog/record.ts";

/**
 * The records that were seen so far. A backend that is down, or a record that cannot be read now, takes nothing away
 * from what is known: counters would fall, and rise again as so many new failures. What is gone from a catalog that was
 * read as a whole is gone.
 */
export class RecordMemory {
  #records: ReadonlyMap<string, BackupRecord> = new Map();

  /** Takes a listing in, and returns all that is known, in the order of the ids. */
  learn({ records, problems }: CatalogListing): readonly BackupRecord[] {
    const seen = new Map(records.map((record) => [record.id, record]));
    const unread = problems.some(({ key }) => key === undefined);
    const doubtful = new Set(problems.flatMap(({ key }) => key ?? []));
    for (const [id, record] of this.#records) {
      if (!seen.has(id) && (unread || [...doubtful].some((key) => key.includes(`/${id}.`)))) seen.set(id, record);
    }
    this.#records = seen;
    return this.all;
  }

  get all(): readonly BackupRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

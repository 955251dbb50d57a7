/** What a recovery of the whole system is made from. Pure. */
import type { BackupRecord } from "../../catalog/record.ts";
import { DrError } from "../../errors.ts";
import { besideIn, besideNotes } from "../../recovery-point/beside.ts";
import { chooseRecoveryPoint, newestPerStore, type PointQuery } from "../../recovery-point/choose.ts";
import { isSaved, madePoint } from "../../recovery-point/record.ts";

/** The stores that are recovered, in the order of R1: secrets first, and what agents search in last. */
export const fullOrder = ["vault", "postgres", "redis", "vectors"] as const;
export type FullStore = (typeof fullOrder)[number];

export interface StoreSource {
  readonly store: FullStore;
  /** Of the catalog. PostgreSQL's is where its replay begins, at the latest. */
  readonly backup: string;
  /** PostgreSQL: the restore point that the replay ends at; absent: as far as the archive goes. */
  readonly restorePoint?: string | undefined;
  /** ISO 8601. Absent: as far as the archive goes. */
  readonly reachesTo?: string | undefined;
  /** Of the data, before compression and encryption. */
  readonly bytes: number;
}

export interface SystemSources {
  /** The recovery point's id; absent where each store is taken as far as it goes. */
  readonly point?: string | undefined;
  readonly stores: readonly StoreSource[];
  readonly notes: readonly string[];
}

export interface SourceQuery extends PointQuery {
  /** Each store's own newest backup, PostgreSQL to the end of its archive: less is lost, and they may disagree. */
  readonly newestPerStore: boolean;
  readonly without: readonly FullStore[];
}

/**
 * The newest complete recovery point, or the newest of each store.
 * @throws DrError where there is nothing to recover from, with what can be done instead
 */
export function chooseSources(records: readonly BackupRecord[], query: SourceQuery): SystemSources {
  const sources = query.newestPerStore ? newestOf(records, query) : pointOf(records, query);
  const stores = sources.stores.filter(({ store }) => !query.without.includes(store));
  if (stores.length === 0) throw new DrError({ kind: "failed", what: "there is no backup of any store that is to be recovered", where: "catalog", todo: "See `dr catalog list`." });
  return { ...sources, stores };
}

function pointOf(records: readonly BackupRecord[], query: SourceQuery): SystemSources {
  const { record, point, notes } = chooseRecoveryPoint(records, query);
  const made = madePoint(point);
  const stores = fullOrder.flatMap((store): StoreSource[] => {
    const part = point.parts.filter(isSaved).find((one) => one.store === store);
    if (part === undefined) return [];
    const bytes = records.find(({ id }) => id === part.backup)?.sourceBytes ?? 0;
    const base = { store, backup: part.backup, bytes };
    return [store === "postgres" && made !== undefined ? { ...base, restorePoint: made.name, reachesTo: made.time } : { ...base, reachesTo: part.watermark.time }];
  });
  return { point: record.id, stores, notes: [...notes, ...besideNotes(point.beside)] };
}

function newestOf(records: readonly BackupRecord[], query: SourceQuery): SystemSources {
  if (query.at !== undefined) throw new DrError({ kind: "usage", what: "a time and the newest of each store are two different questions", where: "--at", todo: "Give the one or the other." });
  const newest = newestPerStore(records, query);
  const stores = fullOrder.flatMap((store): StoreSource[] => {
    const record = newest.get(store);
    if (record === undefined) return [];
    const base = { store, backup: record.id, bytes: record.sourceBytes };
    return [store === "postgres" ? base : { ...base, reachesTo: record.watermark.time }];
  });
  return { stores, notes: [...besideNotes(besideIn(records)), "each store is taken as far as it goes: they need not fit each other, which is checked before services start"] };
}

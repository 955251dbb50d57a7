/** What may go now, and from where. Pure. */
import { catalogPrefix, prefixesOf } from "../../plan/layout.ts";
import type { Plan } from "../../plan/types.ts";
import type { CatalogListing } from "../catalog/catalog.ts";
import type { BackupRecord } from "../catalog/record.ts";
import { storeAndKind } from "../status/expected.ts";
import { keptUntil, neededBy } from "./keep.ts";
import { clockTolerance } from "./lease.ts";

export interface Decision {
  /** Records whose time is over, oldest first, with their objects that nothing kept is made of. */
  readonly due: readonly { readonly record: BackupRecord; readonly keys: readonly string[] }[];
  /** Stores of which nothing goes now, and why. */
  readonly spared: readonly { readonly store: string; readonly why: string }[];
}

/**
 * What is over by an hour at least: a clock that is wrong by as much takes nothing away too soon. Of a store whose
 * records build on each other nothing goes while one of them cannot be read, as nobody knows what that one needs.
 */
export function decide(plan: Plan, { records, problems }: CatalogListing, now: Date): Decision {
  const kept = keptUntil(plan, records);
  const over = (record: BackupRecord): boolean => (kept.get(record.id)?.until ?? Infinity) + clockTolerance * 1_000 < now.getTime();
  const standing = new Set(records.filter((record) => !over(record)).flatMap(({ objects }) => objects.map(({ key }) => key)));
  const known = new Set(records.map(({ id }) => id));
  const unread = problems.flatMap(({ backend, key, what }): { readonly store: string | undefined; readonly why: string }[] => (key === undefined ? [{ store: undefined, why: `${backend} cannot be read: ${what}` }] : known.has(idIn(key)) ? [] : [{ store: storeIn(key), why: `${key} in ${backend} cannot be read: ${what}` }]));
  const chained = new Set(records.filter((record) => record.objects.length > 0 && neededBy(record).length > 0).map(({ store }) => store));
  const spared = [...chained].flatMap((store) => {
    const reason = unread.find((one) => one.store === undefined || one.store === store);
    return reason === undefined ? [] : [{ store, why: reason.why }];
  });
  const sparedStores = new Set(spared.map(({ store }) => store));
  const doubtful = new Set(problems.flatMap(({ key }) => (key === undefined ? [] : [idIn(key)])));
  const due = records
    .filter((record) => over(record) && !sparedStores.has(record.store) && !doubtful.has(record.id))
    .map((record) => ({ record, keys: record.objects.map(({ key }) => key).filter((key) => !standing.has(key)) }));
  return { due, spared };
}

/**
 * Of what no state of the objects since then holds, nothing is needed: the oldest that is kept, and at the latest where the
 * retention ends, as deletions do not propagate before. `undefined` where nothing of them may go.
 */
export function objectsHorizon(plan: Plan, { records, problems }: CatalogListing, now: Date): Date | undefined {
  const schedule = plan.schedules.find(({ writes }) => writes === "mirror");
  const made = schedule === undefined ? undefined : storeAndKind(schedule.name);
  if (schedule === undefined || made === undefined || schedule.retention === "forever") return undefined;
  const runs = records.filter(({ store, kind }) => store === made.store && kind === made.kind);
  // A record that cannot be read may be the oldest.
  if (runs.length === 0 || problems.some(({ key }) => key === undefined || storeIn(key) === made.store)) return undefined;
  const kept = keptUntil(plan, records);
  const standing = runs.filter(({ id }) => (kept.get(id)?.until ?? Infinity) + clockTolerance * 1_000 >= now.getTime());
  return new Date(Math.min(now.getTime() - schedule.retention * 1_000, ...standing.map(({ startedAt }) => Date.parse(startedAt))));
}

const storeIn = (key: string): string => key.slice(catalogPrefix.length).split("/")[0] ?? "";
const idIn = (key: string): string => (key.split("/").at(-1) ?? "").replace(/\.json$/, "");

/**
 * When an object that was written at `written` may be deleted in a backend, in ms. Where a deletion leaves the older
 * version behind, a lock keeps that one, and nothing is refused; elsewhere the store refuses until the lock is over.
 */
export function unlockedAt(plan: Plan, backend: string, key: string, written: number): number {
  const found = plan.backends.find(({ name }) => name === backend);
  if (found === undefined || found.versioned) return written;
  const lock = prefixesOf(plan, found).filter(({ prefix, writeOnce }) => writeOnce && key.startsWith(prefix)).reduce((longest, { lock: one }) => Math.max(longest, one), 0);
  return written + lock * 1_000;
}

/** What the complete system has besides what must fit together: backups in a rhythm of their own. */
import { lateRecords } from "../catalog/newest.ts";
import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { BesideBackup } from "./record.ts";

/** By store, the kind of its backups and the word of `dr recover`. */
const besides = { configuration: { kind: "snapshot", word: "config" }, metrics: { kind: "snapshot", word: "metrics" } } as const;

/** The newest good backup of each; of a store that has none there is nothing to say. Pure. */
export function besideIn(records: readonly BackupRecord[]): BesideBackup[] {
  return Object.entries(besides).flatMap(([store, { kind }]) => {
    const newest = records.findLast((record) => record.store === store && record.kind === kind && outcomeOf(record) !== "failed");
    return newest === undefined ? [] : [{ store, backup: newest.id, reachesTo: newest.watermark.time }];
  });
}

/** The same, asked of the catalog. That it cannot be read fails no backup. */
export async function besideNow(context: RunContext): Promise<BesideBackup[]> {
  try {
    return besideIn((await Promise.all(Object.keys(besides).map((store) => lateRecords(context, store)))).flat());
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `the newest backups of ${Object.keys(besides).join(" and ")} could not be looked up: ${messageOf(error)}` });
    return [];
  }
}

/** For whoever recovers. */
export const besideNotes = (beside: readonly BesideBackup[]): string[] =>
  beside.map(({ store, backup, reachesTo }) => `beside it, ${store} as of ${reachesTo}: \`dr recover ${wordOf(store)} ${backup} --into DIR\``);

const wordOf = (store: string): string => Object.entries(besides).find(([name]) => name === store)?.[1].word ?? store;

import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { outcomeOf, type BackupRecord } from "./record.ts";

/** How far back is looked before the whole catalog is read: a job every few minutes has thousands of records. Hours. */
const windows = [6, 7 * 24] as const;

/** The records of a store that began lately, oldest first; from further back where there are none. */
export async function lateRecords(context: RunContext, store: string): Promise<readonly BackupRecord[]> {
  for (const hours of windows) {
    const { records } = await context.catalog.list({ store, since: new Date(context.clock.now().getTime() - hours * 3_600_000) });
    if (records.some((record) => outcomeOf(record) !== "failed")) return records;
  }
  return (await context.catalog.list({ store })).records;
}

/** A backup of one store and kind by its id or `latest`; one that failed, or is another store's, is refused in words. */
export async function findBackup(context: RunContext, store: string, kind: string, idOrLatest: string): Promise<BackupRecord> {
  const record = await context.catalog.find(idOrLatest, { store, ...(idOrLatest === "latest" ? { kind } : {}) });
  if (record.kind !== kind) throw new DrError({ kind: "usage", what: `this is a record of kind ${record.kind}, not a ${kind} of ${store}`, where: record.id, todo: "`dr catalog list` shows which there are." });
  if (outcomeOf(record) !== "failed") return record;
  const why = record.copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ");
  throw new DrError({ kind: "failed", what: `this backup failed, it has no copy that stands: ${why}`, where: record.id, todo: "Choose another (`dr catalog list`)." });
}

import { outcomeOf, type BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";

/** An id of the catalog, `latest`, or the newest whose data does not reach past a time. */
export type BackupChoice = string | { readonly at: Date };

/** The snapshot that is meant, or a `DrError` that says which there are. */
export async function chooseSnapshot(context: RunContext, choice: BackupChoice): Promise<BackupRecord> {
  if (typeof choice === "string") return checked(await context.catalog.find(choice, { store: "redis", kind: "snapshot" }));
  if (choice.at.getTime() > context.clock.now().getTime()) throw new DrError({ kind: "usage", what: `the target time ${choice.at.toISOString()} is in the future`, where: "--at", todo: "Name a past time, or `latest`." });
  const { records } = await context.catalog.list({ store: "redis", kind: "snapshot", until: choice.at });
  const good = records.filter((record) => outcomeOf(record) !== "failed");
  const chosen = good.filter((record) => Date.parse(record.watermark.time) <= choice.at.getTime()).at(-1);
  if (chosen !== undefined) return chosen;
  const { records: all } = await context.catalog.list({ store: "redis", kind: "snapshot" });
  const oldest = all.find((record) => outcomeOf(record) !== "failed");
  throw new DrError({ kind: "failed", what: "No backup available before target time", where: choice.at.toISOString(), todo: oldest === undefined ? "There is no snapshot of Redis at all; make one with `dr backup redis snapshot`." : `The oldest reaches to ${oldest.watermark.time} (${oldest.id}); name a later time.` });
}

function checked(record: BackupRecord): BackupRecord {
  if (record.store !== "redis") throw new DrError({ kind: "usage", what: `this is a backup of ${record.store}, not of Redis`, where: record.id, todo: "`dr catalog list` shows which there are." });
  if (outcomeOf(record) !== "failed") return record;
  const why = record.copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ");
  throw new DrError({ kind: "failed", what: `this backup failed, it has no copy that stands: ${why}`, where: record.id, todo: "Choose another (`dr catalog list`)." });
}

import { outcomeOf, type BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { kind, store } from "./names.ts";

/** An id of the catalog, `latest`, or the newest whose data does not reach past a time. */
export type BackupChoice = string | { readonly at: Date };

/** The snapshot that is meant, or a `DrError` that says which there are. */
export async function chooseSnapshot({ catalog, clock }: RunContext, choice: BackupChoice): Promise<BackupRecord> {
  if (typeof choice === "string") return checked(await catalog.find(choice, { store, kind }));
  if (choice.at.getTime() > clock.now().getTime()) throw new DrError({ kind: "usage", what: `the target time ${choice.at.toISOString()} is in the future`, where: "--at", todo: "Name a past time, or `latest`." });
  const { records } = await catalog.list({ store, kind });
  const good = records.filter((record) => outcomeOf(record) !== "failed");
  const chosen = good.findLast((record) => Date.parse(record.watermark.time) <= choice.at.getTime());
  if (chosen !== undefined) return chosen;
  const [oldest] = good;
  throw new DrError({ kind: "failed", what: "No backup available before target time", where: choice.at.toISOString(), todo: oldest === undefined ? "There is no snapshot of Vault at all; make one with `dr backup vault snapshot`." : `The oldest reaches to ${oldest.watermark.time} (${oldest.id}); name a later time.` });
}

function checked(record: BackupRecord): BackupRecord {
  if (record.store !== store || record.kind !== kind) throw new DrError({ kind: "usage", what: `this is no snapshot of Vault but ${record.store}'s ${record.kind}`, where: record.id, todo: "`dr catalog list` shows which there are." });
  if (outcomeOf(record) !== "failed") return record;
  const why = record.copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ");
  throw new DrError({ kind: "failed", what: `this backup failed, it has no copy that stands: ${why}`, where: record.id, todo: "Choose another (`dr catalog list`)." });
}

import type { Command } from "commander";
import type { RunContext } from "../../runner/context.ts";
import { exitCodes, messageOf } from "../../runner/errors.ts";
import type { SystemBackup, SystemBackupResult } from "../../runner/recovery-point/make.ts";
import type { PartResult, Place } from "../../runner/recovery-point/record.ts";
import type { Expiry } from "../../runner/retention/expire.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";
import { renderExpiry } from "./expire.ts";

/** `dr backup all` */
export function registerBackupAll(backup: Command, context: CliContext): void {
  backup
    .command("all")
    .description("the complete system as one recovery point: every store, and where they meet in PostgreSQL's log")
    .action(async () => {
      const { backUpAll } = await import("../../runner/recovery-point/make.ts");
      const run = await context.openRun();
      const result = await backUpAll(run);
      // What is over goes once a day, behind a backup that stands: storage that fills up is a warning, no lost backup.
      const expiry = result.outcome === "ok" || result.outcome === "partial" ? await expireAfter(run) : undefined;
      context.print([render(result), ...(expiry === undefined ? [] : [expiry.said])].join("\n"), { ...result, ...(expiry?.result === undefined ? {} : { expiry: expiry.result }) });
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
      if (result.outcome === "failed") context.setExitCode(exitCodes.failed);
    });
}

/** A failure to tidy up is said, and fails no backup. */
async function expireAfter(run: RunContext): Promise<{ readonly said: string; readonly result?: Expiry }> {
  const { expire } = await import("../../runner/retention/expire.ts");
  try {
    const result = await expire(run);
    return { said: renderExpiry(result), result };
  } catch (error) {
    run.signal.throwIfAborted();
    return { said: `nothing was expired: ${messageOf(error)}` };
  }
}

function render(result: SystemBackupResult): string {
  if (result.outcome === "skipped") return `nothing to do: ${result.why}`;
  const { record, point, consistency, notRecorded } = result;
  return [
    point.parts.some(({ status }) => status === "saved") ? `${record.id}: reaches to ${record.watermark.time}` : `${record.id}: nothing was saved`,
    ...point.parts.map(renderPart),
    ...renderRestorePoint(result),
    ...point.beside.map(({ store, backup, reachesTo }) => `  ${store}, by its own schedule: ${backup}, reaches to ${reachesTo}`),
    ...consistency.parts.filter(({ standing }) => standing === "behind" || standing === "ahead").map(({ store, why }) => `  ${store}: ${why}`),
    "complete in:",
    ...renderCopies(record.copies),
    ...notRecorded.map(({ backend, error }) => `  ${backend}: the record itself is not there: ${error}`),
    ...verdict(result),
  ].join("\n");
}

const missing = (places: readonly Place[]): string => places.flatMap(({ backend, error }) => (error === null ? [] : [`, NOT in ${backend}`])).join("");

function renderPart(part: PartResult): string {
  return part.status === "failed" ? `  ${part.store}: FAILED: ${part.error}` : `  ${part.store}: ${part.backup}, reaches to ${part.watermark.time}${missing(part.places)}`;
}

function renderRestorePoint({ point: { restorePoint } }: SystemBackup): string[] {
  if (restorePoint === null) return [];
  return [restorePoint.status === "failed" ? `  restore point: FAILED: ${restorePoint.error}` : `  restore point: LSN ${restorePoint.lsn} on timeline ${restorePoint.timeline}${missing(restorePoint.places)}`];
}

function verdict({ outcome, record }: SystemBackup): string[] {
  if (outcome === "ok") return [`PostgreSQL is recovered to it with \`dr recover pitr --name ${record.id}\``];
  if (outcome === "partial") return ["partial: not every backend has all of it"];
  return ["FAILED: no backend has a complete recovery point; what stands above can be recovered store by store"];
}

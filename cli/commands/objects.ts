import { InvalidArgumentError, type Command } from "commander";
import { formatDuration, formatSize, minutes } from "../../plan/units.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { ObjectsBackup } from "../../runner/stores/objects/back-up.ts";
import type { ObjectsRecovery } from "../../runner/stores/objects/recover.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";
import { renderCopies } from "../render/copies.ts";

interface SyncOptions {
  readonly full: boolean;
  readonly within?: number;
}

interface RecoverOptions {
  readonly at?: Date;
  readonly only?: string;
  readonly toBucket?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

function minutesOf(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return minutes(value);
  throw new InvalidArgumentError("a number of minutes is expected, e.g. 120.");
}

/** `dr backup objects sync` */
export function registerBackupObjects(backup: Command, context: CliContext): void {
  backup
    .command("objects")
    .description("objects: the copy of the services' bucket")
    .command("sync")
    .description("copy what is new or changed in R2; what is gone there stays in the copy for the retention")
    .option("--full", "look at the copy too, and copy again what somebody removed from it (done once a day in any case)", false)
    .option("--within <minutes>", "how long the run may take (default: the plan's deadline); a first copying takes longer", minutesOf)
    .action(async ({ full, within }: SyncOptions) => {
      const { backUpObjects } = await import("../../runner/stores/objects/back-up.ts");
      const result = await backUpObjects(await context.openRun(), { full, ...(within === undefined ? {} : { within }) });
      context.print(renderBackup(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function renderBackup({ record, outcome }: ObjectsBackup): string {
  const count = (name: string) => Number(record.details[name]);
  return [
    `${record.id}: ${count("objects")} objects, ${formatSize(record.sourceBytes)}, reaches to ${record.watermark.time}`,
    `copied ${count("copied")} (${formatSize(count("copiedBytes"))}): ${count("added")} new, ${count("changed")} changed, ${count("repaired")} gone from the copy; ${count("deleted")} deleted in the source and kept`,
    ...renderCopies(record.copies),
    ...(outcome === "partial" ? ["partial: not every backend has the record"] : []),
  ].join("\n");
}

/** `dr recover objects [backup|latest]` */
export function registerRecoverObjects(recover: Command, context: CliContext): void {
  recover
    .command("objects")
    .description("bring objects back into R2 as they were; nothing is deleted, nothing newer is overwritten without --force")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--at <time>", "the state after the newest copying that began by then (UTC unless it has a zone)", parseTime)
    .option("--only <prefix>", "only objects whose names begin so")
    .option("--to-bucket <name>", "another bucket than the one that is copied")
    .option("--force", "overwrite what was written since", false)
    .option("--dry-run", "say what would be brought back, and write nothing", false)
    .action(async (backup: string, { at, only, toBucket, force, dryRun }: RecoverOptions) => {
      if (at !== undefined && backup !== "latest") throw new DrError({ kind: "usage", what: "a backup and a time are two different questions", where: `${backup} --at ${at.toISOString()}`, todo: "Name the one or the other." });
      const { recoverObjects } = await import("../../runner/stores/objects/recover.ts");
      const result = await recoverObjects(await context.openRun(), { backup: at === undefined ? backup : { at }, force, dryRun, ...(only === undefined ? {} : { only }), ...(toBucket === undefined ? {} : { bucket: toBucket }) });
      context.print(renderRecovery(result), result);
      if (result.failed.objects > 0) context.setExitCode(result.restored.objects + result.unchanged > 0 ? exitCodes.partial : exitCodes.failed);
    });
}

function renderRecovery({ backup, recoveredTo, into, dryRun, restored, unchanged, newer, since, failed, seconds }: ObjectsRecovery): string {
  return [
    `${dryRun ? "would bring back" : "brought back"} ${restored.objects} objects, ${formatSize(restored.bytes)}, as of ${recoveredTo} (${backup}), into ${into}`,
    `${unchanged} are there as they were`,
    ...(newer.objects === 0 ? [] : [`${newer.objects} were written since (--force overwrites them): ${newer.some.map((key) => JSON.stringify(key)).join(", ")}`]),
    ...(since === 0 ? [] : [`${since} came since and stay`]),
    ...(failed.objects === 0 ? [] : [`FAILED: ${failed.objects}`, ...failed.some.map(({ key, error }) => `  ${JSON.stringify(key)}: ${error}`)]),
    `in ${formatDuration(seconds)}`,
  ].join("\n");
}

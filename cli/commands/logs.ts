import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { LogsBackup } from "../../runner/stores/logs/back-up.ts";
import type { LogsRecovery } from "../../runner/stores/logs/recover.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";
import { renderCopies } from "../render/copies.ts";

interface RecoverOptions {
  readonly from: Date;
  readonly to: Date;
  readonly into: string;
}

/** `dr backup logs ship` */
export function registerBackupLogs(backup: Command, context: CliContext): void {
  backup
    .command("logs")
    .description("logs: what the nodes' shippers have brought to each backend")
    .command("ship")
    .description("read what has arrived since the last look, and record how far each backend reaches")
    .action(async () => {
      const { recordShippedLogs } = await import("../../runner/stores/logs/back-up.ts");
      const result = await recordShippedLogs(await context.openRun());
      context.print(renderBackup(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

const renderBackup = ({ record, outcome }: LogsBackup): string =>
  [`${record.id}: ${formatSize(record.sourceBytes)} arrived, reaches to ${record.watermark.time}`, ...renderCopies(record.copies), ...(outcome === "partial" ? ["partial: not every backend has got its logs"] : [])].join("\n");

/** `dr recover logs --from T --to T --into DIR` */
export function registerRecoverLogs(recover: Command, context: CliContext): void {
  recover
    .command("logs")
    .description("bring lines of logs back as files, one for each container")
    .requiredOption("--from <time>", "lines written from then on (UTC unless it has a zone)", parseTime)
    .requiredOption("--to <time>", "lines written before that", parseTime)
    .requiredOption("--into <dir>", "an empty or a new folder", (path: string) => resolve(path))
    .action(async ({ from, to, into }: RecoverOptions) => {
      const { recoverLogs } = await import("../../runner/stores/logs/recover.ts");
      const result = await recoverLogs(await context.openRun(), { from, to, into });
      context.print(renderRecovery(result), result);
      if (result.damaged.length > 0) context.setExitCode(exitCodes.partial);
    });
}

function renderRecovery({ into, from, lines, files, bytes, damaged, rejected, seconds }: LogsRecovery): string {
  return [
    `${lines} lines in ${files} files, from ${from} (${formatSize(bytes)} read), in ${into}`,
    ...rejected.map(({ backend, error }) => `not from ${backend}: ${error}`),
    ...damaged.map((error) => `NOT READ: ${error}`),
    `in ${formatDuration(seconds)}`,
  ].join("\n");
}

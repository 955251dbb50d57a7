import type { Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { BackUpResult } from "../../runner/stores/postgres/back-up.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

const means = { full: "the whole database", diff: "what changed since the last full backup", incremental: "what changed since the last backup" } as const;

/** `dr backup postgres full | diff | incremental` */
export function registerBackupPostgres(backup: Command, context: CliContext): void {
  const postgres = backup.command("postgres").description("PostgreSQL: into every repository, one after the other");
  for (const kind of ["full", "diff", "incremental"] as const) {
    postgres
      .command(kind)
      .description(`back up ${means[kind]}; nothing to do on a replica`)
      .action(async () => {
        const { backUpPostgres } = await import("../../runner/stores/postgres/back-up.ts");
        const result = await backUpPostgres(await context.openRun(), kind);
        context.print(render(result), result);
        if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
      });
  }
}

function render(result: BackUpResult): string {
  if (result.outcome === "skipped") return `nothing to do: ${result.why}`;
  const { record, outcome } = result;
  const { watermark } = record;
  const first = `${record.id}: ${formatSize(record.sourceBytes)}, reaches to ${watermark.time} (LSN ${watermark.lsn ?? "unknown"}, timeline ${watermark.timeline ?? "unknown"})`;
  return [first, ...renderCopies(record.copies), ...(outcome === "partial" ? ["partial: not every repository has it"] : [])].join("\n");
}

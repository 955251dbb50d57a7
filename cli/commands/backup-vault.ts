import type { Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { VaultBackup } from "../../runner/stores/vault/back-up.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

/** `dr backup vault snapshot` */
export function registerBackupVault(backup: Command, context: CliContext): void {
  backup
    .command("vault")
    .description("Vault or OpenBao: snapshots of its raft storage")
    .command("snapshot")
    .description("snapshot Vault, encrypted, into every backend at once")
    .option("--leader-only", "do nothing, and end well, where the region's servers are not the ones in use", false)
    .action(async (options: { readonly leaderOnly: boolean }) => {
      const { backUpVault } = await import("../../runner/stores/vault/back-up.ts");
      const result = await backUpVault(await context.openRun(), options);
      context.print(render(result), result);
      if (result.done && result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function render(result: VaultBackup): string {
  if (!result.done) return `nothing to do: ${result.why}`;
  const { local, notes, outcome, record } = result;
  return [
    `${record.id}: ${Number(record.details["entries"])} entries, ${formatSize(record.sourceBytes)}, reaches to ${record.watermark.time}`,
    ...renderCopies(record.copies),
    ...(local === undefined ? [] : [local.status === "ok" ? `  this machine: ${local.path}` : `  this machine: FAILED: ${local.error}`]),
    ...(local?.status === "ok" && local.expiryError !== undefined ? [`  old copies on this machine could not be removed: ${local.expiryError}`] : []),
    ...notes.map((note) => `note: ${note}`),
    ...(outcome === "partial" ? ["partial: not every place has it"] : []),
  ].join("\n");
}

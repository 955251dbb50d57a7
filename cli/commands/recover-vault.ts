import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { BackupChoice } from "../../runner/stores/vault/choose.ts";
import type { VaultRecovery, VaultRecoveryPlan } from "../../runner/stores/vault/recover.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";

interface RecoverOptions {
  readonly at?: Date;
  readonly to?: string;
  readonly ca?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover vault <backup|latest>` */
export function registerRecoverVault(recover: Command, context: CliContext): void {
  recover
    .command("vault")
    .description("load a snapshot of Vault into a fresh server, and unseal it")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--to <address>", "the server that gets it, https://host:port (default: the configured one)")
    .option("--ca <file>", "the authority of that server's certificate", (path: string) => resolve(path))
    .option("--at <time>", "the newest snapshot that reaches no further than this (UTC unless it has a zone)", parseTime)
    .option("--force", "replace what an initialised server holds", false)
    .option("--dry-run", "say which backup and which server it would be, and do nothing", false)
    .action(async (backup: string, options: RecoverOptions) => {
      if (options.at !== undefined && backup !== "latest") throw new DrError({ kind: "usage", what: "a backup and a time are two different questions", where: `${backup} --at ${options.at.toISOString()}`, todo: "Name the one or the other." });
      if (options.ca !== undefined && options.to === undefined) throw new DrError({ kind: "usage", what: "an authority is named, and no server", where: "--ca", todo: "Name the server with --to." });
      const choice: BackupChoice = options.at === undefined ? backup : { at: options.at };
      const { to, ca } = options;
      const asked = { backup: choice, force: options.force, ...(to === undefined ? {} : { to: { address: to, ...(ca === undefined ? {} : { caFile: ca }) } }) };
      const run = await context.openRun();
      const { planVaultRecovery, recoverVault } = await import("../../runner/stores/vault/recover.ts");
      if (options.dryRun) {
        const plan = await planVaultRecovery(run, asked);
        context.print(renderPlan(plan), { dryRun: true, ...plan });
        return;
      }
      const result = await recoverVault(run, asked);
      context.print(render(result), result);
      if (!result.unsealed) context.setExitCode(exitCodes.partial);
    });
}

function renderPlan(plan: VaultRecoveryPlan): string {
  return [
    `would load ${plan.backup} (${formatSize(plan.bytes)}), which reaches to ${plan.recoveredTo}, into ${plan.target} (${plan.targetState}, seal ${plan.targetSeal})`,
    `it opens with ${plan.opensWith ?? "a seal that its record does not name"}`,
    ...plan.notes.map((note) => `note: ${note}`),
  ].join("\n");
}

function render(result: VaultRecovery): string {
  const { download, restore, total, unseal } = result.seconds;
  return [
    `recovered ${result.backup} to ${result.recoveredTo} into ${result.target}: ${formatSize(result.bytes)}, from ${result.from}`,
    ...result.rejected.map(({ backend, error }) => `not from ${backend}: ${error}`),
    result.unsealed ? "it is unsealed" : `it is SEALED: unseal it with ${result.opensWith} (\`bao operator unseal\` or \`vault operator unseal\`)`,
    result.secrets.read ? `a secret was read: ${result.secrets.detail}` : `no secret was read: ${result.secrets.detail}`,
    `download ${formatDuration(download)}, load ${formatDuration(restore)}, unseal ${formatDuration(unseal)}, in all ${formatDuration(total)}`,
  ].join("\n");
}

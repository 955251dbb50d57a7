import { resolve } from "node:path";
import type { Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { ConfigurationBackup } from "../../runner/stores/configuration/back-up.ts";
import type { ConfigurationPlan, ConfigurationRecovery } from "../../runner/stores/configuration/recover.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

/** `dr backup config snapshot` */
export function registerBackupConfiguration(backup: Command, context: CliContext): void {
  backup
    .command("config")
    .description("configuration: git repositories, the cluster's manifests, Pulumi's states")
    .command("snapshot")
    .description("store them, encrypted, in every backend at once; nothing where nothing has changed")
    .action(async () => {
      const { backUpConfiguration } = await import("../../runner/stores/configuration/back-up.ts");
      const result = await backUpConfiguration(await context.openRun());
      context.print(renderBackup(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function renderBackup({ record, outcome, changed }: ConfigurationBackup): string {
  const since = record.details["unchangedSince"];
  const first = changed ? `${record.id}: ${formatSize(record.sourceBytes)} stored` : `${record.id}: nothing has changed since ${typeof since === "string" ? since : "the one before"}`;
  return [first, ...renderCopies(record.copies), ...(outcome === "partial" ? ["partial: not every backend has it"] : [])].join("\n");
}

interface RecoverOptions {
  readonly into?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover config <backup|latest> --into DIR` */
export function registerRecoverConfiguration(recover: Command, context: CliContext): void {
  recover
    .command("config")
    .description("bring the configuration of a backup into a directory")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--into <dir>", "a directory that is empty or absent")
    .option("--force", "move aside what is in the directory", false)
    .option("--dry-run", "say which backup it would be, and do nothing", false)
    .action(async (backup: string, { into, force, dryRun }: RecoverOptions) => {
      const { planConfigurationRecovery, recoverConfiguration } = await import("../../runner/stores/configuration/recover.ts");
      const run = await context.openRun();
      if (dryRun) {
        const plan = await planConfigurationRecovery(run, backup);
        context.print(`would bring back ${describe(plan)}`, { dryRun: true, ...plan });
        return;
      }
      if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the files go", where: "--into", todo: "Name an empty directory with --into." });
      const result = await recoverConfiguration(run, { backup, into: resolve(into), force });
      context.print(renderRecovery(result), result);
    });
}

const describe = ({ backup, recoveredTo, repositories, files, bytes }: ConfigurationPlan): string => `${backup}: ${files} files, ${formatSize(bytes)}, as of ${recoveredTo}${repositories.length === 0 ? "" : `, with ${repositories.join(", ")}`}`;

function renderRecovery(result: ConfigurationRecovery): string {
  return [
    `brought back ${describe(result)}, from ${result.from}, into ${result.dir}`,
    ...result.rejected.map(({ backend, error }) => `not from ${backend}: ${error}`),
    ...(result.setAside === undefined ? [] : [`what was there is in ${result.setAside}`]),
    ...result.repositories.map((name) => `git clone ${result.dir}/git/${name}.bundle ${name}`),
  ].join("\n");
}

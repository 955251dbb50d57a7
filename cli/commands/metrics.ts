import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { MetricsBackup } from "../../runner/stores/metrics/back-up.ts";
import type { MetricsPlan, MetricsRecovery } from "../../runner/stores/metrics/recover.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

/** `dr backup metrics snapshot` */
export function registerBackupMetrics(backup: Command, context: CliContext): void {
  backup
    .command("metrics")
    .description("Prometheus: snapshots of its database")
    .command("snapshot")
    .description("store the blocks that are new, encrypted, in every backend at once")
    .action(async () => {
      const { backUpMetrics } = await import("../../runner/stores/metrics/back-up.ts");
      const result = await backUpMetrics(await context.openRun());
      context.print(renderBackup(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function renderBackup({ record, outcome, uploaded, swept }: MetricsBackup): string {
  const first = `${record.id}: ${record.objects.length} blocks, ${formatSize(record.sourceBytes)}, of which ${uploaded.blocks} were new (${formatSize(uploaded.bytes)} stored)`;
  return [first, ...renderCopies(record.copies), ...swept.map((name) => `removed the snapshot ${name} of a killed run`), ...(outcome === "partial" ? ["partial: not every backend has all of it"] : [])].join("\n");
}

interface RecoverOptions {
  readonly into?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover metrics <backup|latest> --into DIR` */
export function registerRecoverMetrics(recover: Command, context: CliContext): void {
  recover
    .command("metrics")
    .description("restore a snapshot of Prometheus into the data directory of a new one")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--into <dir>", "the new Prometheus' data directory, empty or absent")
    .option("--force", "move aside what is in the directory", false)
    .option("--dry-run", "say which backup it would be, and do nothing", false)
    .action(async (backup: string, { into, force, dryRun }: RecoverOptions) => {
      const { planMetricsRecovery, recoverMetrics } = await import("../../runner/stores/metrics/recover.ts");
      const run = await context.openRun();
      if (dryRun) {
        const plan = await planMetricsRecovery(run, backup);
        context.print(`would restore ${describe(plan)}`, { dryRun: true, ...plan });
        return;
      }
      if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the restored blocks go", where: "--into", todo: "Name an empty directory with --into." });
      const result = await recoverMetrics(run, { backup, into: resolve(into), force });
      context.print(renderRecovery(result), result);
    });
}

const describe = ({ backup, recoveredTo, blocks, samples, from, bytes }: MetricsPlan): string => `${backup}: ${blocks} blocks, ${samples} samples from ${from} to ${recoveredTo}, ${formatSize(bytes)}`;

function renderRecovery(result: MetricsRecovery): string {
  return [
    `restored ${describe(result)} in ${formatDuration(result.seconds)}`,
    ...result.rejected.map(({ backend, error }) => `not from ${backend}: ${error}`),
    ...(result.setAside === undefined ? [] : [`what was there is in ${result.setAside}`]),
    `start Prometheus with --storage.tsdb.path=${result.dir}; its --storage.tsdb.retention.time must reach to ${result.from}, or it removes what is older`,
  ].join("\n");
}

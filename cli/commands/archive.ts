import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { formatDuration, formatSize, seconds } from "../../plan/units.ts";
import type { ArchiveBackup } from "../../runner/archive/back-up.ts";
import type { ArchiveInventory } from "../../runner/archive/inventory.ts";
import type { ArchivePlan, ArchiveRecovery } from "../../runner/archive/recover.ts";
import { retrievalTiers, type RetrievalTier } from "../../runner/archive/retrieval.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";
import { renderProblems } from "../render/problems.ts";

/** `dr backup archive` */
export function registerBackupArchive(backup: Command, context: CliContext): void {
  backup
    .command("archive")
    .description("write this week's archive of every store, unless there is one")
    .action(async () => {
      const { backUpArchive } = await import("../../runner/archive/back-up.ts");
      const result = await backUpArchive(await context.openRun());
      context.print(renderBackup(result), result);
      if (result.done && result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function renderBackup(result: ArchiveBackup): string {
  if (!result.done) return `nothing to do: ${result.why} (${result.backup})`;
  const { record, leftOut, abandoned } = result;
  return [`${record.id}: ${formatSize(record.sourceBytes)}`, ...renderCopies(record.copies), ...leftOut.map(({ store, why }) => `without ${store}: ${why}`), ...abandoned.map((name) => `withdrew the unfinished upload ${name}`)].join("\n");
}

interface RecoverOptions {
  readonly into?: string;
  readonly tier: RetrievalTier;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover archive <backup|latest> --into DIR [--tier TIER]`; exit 3 while the retrieval is on its way. */
export function registerRecoverArchive(recover: Command, context: CliContext): void {
  recover
    .command("archive")
    .description("retrieve an archive into a directory, from which the other commands restore; exit 3 until it is there")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--into <dir>", "becomes a folder backend; empty or absent")
    .addOption(new Option("--tier <tier>", "how soon, and at what price").choices([...retrievalTiers]).default("standard"))
    .option("--force", "move aside what is in the directory", false)
    .option("--dry-run", "say how long it takes and what it costs, and ask for nothing", false)
    .action(async (backup: string, { into, tier, force, dryRun }: RecoverOptions) => {
      const { planArchiveRecovery, recoverArchive } = await import("../../runner/archive/recover.ts");
      const run = await context.openRun();
      if (dryRun) {
        const plan = await planArchiveRecovery(run, backup, tier);
        context.print(`would retrieve ${describe(plan)}`, { dryRun: true, ...plan });
        return;
      }
      if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the archive goes", where: "--into", todo: "Name an empty directory with --into." });
      const result = await recoverArchive(run, { backup, into: resolve(into), tier, force });
      context.print(renderRecovery(result), result);
      if (result.state === "waiting") context.setExitCode(exitCodes.partial);
    });
}

function describe({ backup, week, bytes, backups, tier, expected, usd, warning }: ArchivePlan): string {
  return [
    `${backup}, of ${week}: ${formatSize(bytes)} by retrieval ${tier}, in ${formatDuration(expected.from)} to ${formatDuration(expected.to)}, for about ${usd.toFixed(2)} USD and the way out of AWS`,
    ...(warning === undefined ? [] : [warning]),
    ...backups.map(({ store, backup: id, recoveredTo }) => `  ${store}: ${id}, as of ${recoveredTo}`),
  ].join("\n");
}

function renderRecovery(result: ArchiveRecovery): string {
  if (result.state === "waiting") return `asked for since ${result.since}: ${describe(result)}\nrun the same command again then (${formatDuration(seconds(result.expected.to))} at the most)`;
  const names = [...new Set(result.backups.flatMap(({ from }) => from ?? []))];
  return [
    `retrieved ${describe(result)}`,
    ...(result.setAside === undefined ? [] : [`what was there is in ${result.setAside}`]),
    `restore from it with a configuration whose backend is { "kind": "folder", "name": "${names[0] ?? "r2"}", "path": "${result.dir}", "pgbackrest": { "path": "/pgbackrest", … } } and "readOnly": true`,
  ].join("\n");
}

/** `dr archive inventory`; exit 3 while it is on its way, 1 where the archive and the catalog differ. */
export function registerArchive(program: Command, context: CliContext): void {
  program
    .command("archive")
    .description("the archive itself")
    .command("inventory")
    .description("what lies in it, held against the catalog; Glacier takes hours: exit 3 until it is there, then run it again")
    .option("--anew", "ask again, where an answer is there from before", false)
    .action(async ({ anew }: { readonly anew: boolean }) => {
      const { takeInventory } = await import("../../runner/archive/inventory.ts");
      const result = await takeInventory(await context.openRun(), { anew });
      context.print(renderInventory(result), result);
      if (result.state === "waiting") context.setExitCode(exitCodes.partial);
      else if (!result.ok) context.setExitCode(exitCodes.failed);
    });
}

function renderInventory(result: ArchiveInventory): string {
  if (result.state === "waiting") return `asked for since ${result.since}; Glacier takes 3 to 5 hours: run the same command again then`;
  const { archives, bytes, differing, listedAt, missing, problems, unknown, younger } = result;
  return [
    `${archives} archives, ${formatSize(bytes)}, as listed at ${listedAt}`,
    ...missing.map(({ backup, week }) => `MISSING: ${backup} of ${week} is recorded, and is not there`),
    ...differing.map(({ backup, week, why }) => `NOT AS WRITTEN: ${backup} of ${week}: ${why}`),
    ...unknown.map(({ id, label, bytes: size, createdAt }) => `in no record: ${id} (${label === "" ? "without a description" : label}), ${formatSize(size)}, of ${createdAt}`),
    ...younger.map(({ backup }) => `younger than the list: ${backup}`),
    ...renderProblems(problems),
    ...(result.ok ? ["everything that is recorded is there, and nothing else"] : []),
  ].join("\n");
}

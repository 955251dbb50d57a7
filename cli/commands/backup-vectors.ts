import type { Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { VectorsBackup } from "../../runner/stores/vectors/back-up.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

interface SnapshotOptions {
  readonly leaderOnly: boolean;
  readonly allowEmpty: boolean;
  readonly full: boolean;
}

/** `dr backup vectors snapshot` */
export function registerBackupVectors(backup: Command, context: CliContext): void {
  backup
    .command("vectors")
    .description("the vector store: snapshots of Qdrant's collections, or exports of Pinecone's index")
    .command("snapshot")
    .description("store what has changed since the backup before, encrypted, in every backend at once")
    .option("--full", "store everything anew, building upon no backup before", false)
    .option("--leader-only", "do nothing, and end well, where the store is empty, as a standby is", false)
    .option("--allow-empty", "take a backup without vectors for good although the one before had some", false)
    .action(async (options: SnapshotOptions) => {
      const { backUpVectors } = await import("../../runner/stores/vectors/back-up.ts");
      const result = await backUpVectors(await context.openRun(), options);
      context.print(render(result), result);
      if (result.done && result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function render(result: VectorsBackup): string {
  if (!result.done) return `nothing to do: ${result.why}`;
  const { outcome, record } = result;
  const { base, deletionsUnseen, leftOnServer, points, storedBytes, vanished } = record.details;
  const listed = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return [
    `${record.id}: ${Number(points)} vectors, ${formatSize(record.sourceBytes)}, reaches to ${record.watermark.time}`,
    base === record.id ? "a full backup" : `${formatSize(Number(storedBytes))} new, builds upon ${typeof base === "string" ? base : "an older one"}`,
    ...renderCopies(record.copies),
    ...listed(vanished).map((name) => `${name} was deleted meanwhile, and is not in it`),
    ...listed(leftOnServer).map((name) => `left on the server until the next run: ${name}`),
    ...listed(deletionsUnseen).map((name) => `deletions in the namespace ${JSON.stringify(name)} wait for the next full backup: it is too large to be listed`),
    ...(outcome === "partial" ? ["partial: not every backend has all of it"] : []),
  ].join("\n");
}

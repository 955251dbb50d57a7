import type { Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { RedisBackup } from "../../runner/stores/redis/back-up.ts";
import type { CliContext } from "../context.ts";
import { renderCopies } from "../render/copies.ts";

interface SnapshotOptions {
  readonly leaderOnly: boolean;
  readonly allowEmpty: boolean;
}

/** `dr backup redis snapshot` */
export function registerBackupRedis(backup: Command, context: CliContext): void {
  backup
    .command("redis")
    .description("Redis: snapshots of its whole data")
    .command("snapshot")
    .description("dump Redis, encrypted, into every backend at once")
    .option("--leader-only", "do nothing, and end well, where no server here is the primary", false)
    .option("--allow-empty", "take a snapshot without keys for good although the one before had some", false)
    .action(async (options: SnapshotOptions) => {
      const { backUpRedis } = await import("../../runner/stores/redis/back-up.ts");
      const result = await backUpRedis(await context.openRun(), options);
      context.print(render(result), result);
      if (result.done && result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

function render(result: RedisBackup): string {
  if (!result.done) return `nothing to do: ${result.why}`;
  const { record, outcome } = result;
  const first = `${record.id}: ${Number(record.details["keys"])} keys, ${formatSize(record.sourceBytes)}, reaches to ${record.watermark.time}`;
  return [first, ...renderCopies(record.copies), ...(outcome === "partial" ? ["partial: not every backend has all of it"] : [])].join("\n");
}

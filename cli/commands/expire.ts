import { InvalidArgumentError, type Command } from "commander";
import { formatSize } from "../../plan/units.ts";
import { exitCodes, DrError } from "../../runner/errors.ts";
import type { Expiry } from "../../runner/retention/expire.ts";
import type { CliContext } from "../context.ts";

interface ExpireOptions {
  readonly dryRun: boolean;
  readonly pause?: number;
  readonly resume: boolean;
}

const units: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 };

/** `90m`, `4h`, `2d` in seconds. */
function span(text: string): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  if (count === undefined || factor === undefined) throw new InvalidArgumentError("a time like 90m, 4h or 2d is expected.");
  return Number(count) * factor;
}

/** `dr expire`: what `dr backup all` does at its end, by hand. */
export function registerExpire(program: Command, context: CliContext): void {
  program
    .command("expire")
    .description("remove backups that the plan keeps no longer; never while a recovery runs, never the newest good one")
    .option("--dry-run", "say what would be removed, and remove nothing", false)
    .option("--pause <time>", "let nothing expire for so long (90m, 4h, 2d), pgBackRest's backups neither", span)
    .option("--resume", "end every pause", false)
    .action(async ({ dryRun, pause, resume }: ExpireOptions) => {
      if ([dryRun, pause !== undefined, resume].filter(Boolean).length > 1) throw new DrError({ kind: "usage", what: "--dry-run, --pause and --resume are three different wishes", where: "dr expire", todo: "Give one of them." });
      const run = await context.openRun();
      if (pause !== undefined) {
        const { pauseExpiry } = await import("../../runner/retention/pause.ts");
        const result = await pauseExpiry(run, pause);
        context.print(`nothing expires until ${result.until}; known in ${result.backends.join(", ")}`, result);
        return;
      }
      if (resume) {
        const { resumeExpiry } = await import("../../runner/retention/pause.ts");
        const result = await resumeExpiry(run);
        context.print(result.ended === 0 ? "there was no pause" : "backups expire again", result);
        return;
      }
      const { expire } = await import("../../runner/retention/expire.ts");
      const result = await expire(run, { dryRun });
      context.print(renderExpiry(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
}

export function renderExpiry({ outcome, freed, records, waiting, spared, problems, pausedBy }: Expiry): string {
  const would = outcome === "dry-run" ? "would be " : "";
  return [
    ...(pausedBy === undefined ? [] : [`stopped by ${pausedBy}; the next run goes on`]),
    ...Object.entries(freed).map(([backend, { objects, bytes }]) => `${backend}: ${objects.toLocaleString("en")} objects ${would}removed, ${formatSize(bytes)}`),
    `${records.length.toLocaleString("en")} records ${would}removed${waiting === 0 ? "" : `, ${waiting.toLocaleString("en")} wait for a lock to end or a backend to come back`}`,
    ...spared.map(({ store, why }) => `nothing of ${store} goes now: ${why}`),
    ...problems.map((problem) => `not everywhere: ${problem}`),
  ].join("\n");
}

import { InvalidArgumentError, type Command } from "commander";
import { formatDuration } from "../../plan/units.ts";
import { countText, plural } from "../../drill/report/counts.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { VerificationRun, VerifiedBackup } from "../../runner/verify.ts";
import type { CliContext } from "../context.ts";
import { renderProblems } from "../render/problems.ts";

interface VerifyOptions {
  readonly all: boolean;
  readonly since: number;
  readonly store?: string;
}

function hours(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === "") throw new InvalidArgumentError("a number of hours is expected, e.g. 24.");
  return value;
}

/** `dr verify <backup> | --all`: exit 1 unless each copy was restored, queried and found good. */
export function registerVerify(program: Command, context: CliContext): void {
  program
    .command("verify")
    .description("restore and query every copy of a backup; exit 1 unless each is good")
    .argument("[backup]", "an id of the catalog, or latest")
    .option("--all", "the newest backup of every store and kind, and all of --since", false)
    .option("--since <hours>", "with --all: every backup that began within so many hours", hours, 1)
    .option("--store <name>", "only backups of this store")
    .action(async (backup: string | undefined, { all, since, store }: VerifyOptions) => {
      if ((backup === undefined) !== all) throw new DrError({ kind: "usage", what: all ? "a backup and --all are two different questions" : "nothing says which backup is to be verified", where: "dr verify", todo: "Name one (`dr catalog list`), or `latest`, or --all." });
      const run = await context.openRun();
      const filter = store === undefined ? {} : { store };
      const { verifyAll, verifyOne } = await import("../../runner/verify.ts");
      const result = backup === undefined ? await verifyAll(run, new Date(run.clock.now().getTime() - since * 3_600_000), filter) : await verifyOne(run, backup, filter);
      context.print(render(result), result);
      if (!result.ok) context.setExitCode(exitCodes.failed);
    });
}

function renderOne(backup: VerifiedBackup): string[] {
  return [
    `${backup.backup}: ${backup.ok ? "good in every copy" : "NOT GOOD"}`,
    ...backup.copies.flatMap((copy) => [
      `  ${copy.backend}: ${copy.ok ? "good" : "NOT GOOD"}, ${plural(copy.checks.length, "check")} in ${formatDuration(copy.seconds)}`,
      ...copy.checks.map((check) => `    ${check.ok ? "✓" : "✗"} ${check.name}${check.detail === undefined ? "" : `: ${check.detail}`}`),
      ...copy.errors.map((error) => `    ✗ ${error}`),
    ]),
    ...(backup.recordedAs === undefined ? [`  not recorded: ${backup.notRecorded ?? "no reason given"}`] : [`  recorded as ${backup.recordedAs}`]),
  ];
}

function summaryOf({ ok, verified, skipped, problems }: VerificationRun): string {
  if (ok) return `${plural(verified.length, "backup")} verified, every copy good`;
  if (verified.length + skipped.length === 0) return "there is no backup that could be verified";
  const bad = verified.filter((backup) => !backup.ok).length;
  const parts = [`${countText(bad)} of ${plural(verified.length, "backup")} not good`, ...(skipped.length === 0 ? [] : [`${countText(skipped.length)} not verified`]), ...(problems.length === 0 ? [] : [`${plural(problems.length, "problem")} in the catalog`])];
  return parts.join(", ");
}

function render(run: VerificationRun): string {
  return [...run.verified.flatMap(renderOne), ...run.skipped.map(({ backup, why }) => `${backup}: not verified: ${why}`), ...renderProblems(run.problems), summaryOf(run)].join("\n");
}

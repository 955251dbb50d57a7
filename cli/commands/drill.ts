import { InvalidArgumentError, type Command } from "commander";
import { exitCodes } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";

interface RunOptions {
  readonly env: string;
  readonly scenario: string;
  readonly agents: number;
  readonly scale: number;
  readonly seed: number;
  readonly out?: string;
  readonly source?: string;
  readonly sourceConfig?: string;
  readonly stanza?: string;
  readonly backup?: string;
  readonly database: string;
  readonly query: readonly string[];
  readonly record: boolean;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(`a whole number from ${least} to ${most} is expected.`);
    return value;
  };
}

/** `dr drill run | list | sweep`. What they need is loaded only when they run: `dr plan` starts none of it. */
export function registerDrill(program: Command, context: CliContext): void {
  const drill = program.command("drill").description("lose something for real, get it back, and measure what was promised");
  drill
    .command("run")
    .description("run a drill and write its report")
    .option("--env <name>", "where: local (real servers on this machine)", "local")
    .option("--scenario <name>", "which disaster, see `dr drill list`; or all", "region-loss")
    .option("--agents <n>", "how many agents production has", whole(1, 300_000), 30_000)
    .option("--scale <n>", "divide the plan's intervals by this", whole(1, 60), 20)
    .option("--seed <n>", "what production's contents are made from", whole(0, 2 ** 31 - 1), 1)
    .option("--out <dir>", "where the report goes (default: drill-reports/NAME)")
    .option("--source <url>", "drill on this pgBackRest repository instead: a folder, or s3://bucket/path")
    .option("--source-config <file>", "the repository's pgbackrest.conf, with its keys and passphrase")
    .option("--stanza <name>", "the stanza in --source (default: the only one)")
    .option("--backup <label>", "the backup in --source (default: the newest)")
    .option("--database <name>", "the database in --source that the queries ask", "postgres")
    .option("--query <sql>", "an integrity query on the restored database; may be repeated", (sql: string, all: string[]) => [...all, sql], [])
    .option("--record", "keep the result in the catalog of --config, where the exporter finds it", false)
    .action(async (options: RunOptions) => {
      // Opened before the drill: nobody wants to hear after an hour that the result cannot be kept.
      const run = options.record ? await context.openRun() : undefined;
      if (run !== undefined) (await import("../../runner/backup-record.ts")).refuseReadOnly(run, "keep the result of a drill");
      const { drillFromOptions } = await import("../../drill/run.ts");
      const { renderReport } = await import("../../drill/report/terminal.ts");
      const { report, folder } = await drillFromOptions(options, context.signal, context.report);
      const colour = process.stdout.isTTY;
      const kept = run === undefined ? [] : await (await import("../../drill/keep-report.ts")).keepReport(run, report);
      context.print(`${renderReport(report, { colour })}\nreport: ${folder}/report.html${kept.map(({ id }) => `\nkept as: ${id}`).join("")}\nleftovers: ${report.leftovers}`, report);
      if (!report.passed) context.setExitCode(exitCodes.failed);
    });
  drill
    .command("list")
    .description("the scenarios, what they break and which promise they measure")
    .action(async () => {
      const { scenarios } = await import("../../drill/scenarios/all.ts");
      const rows = scenarios.map(({ name, title, scope, tiers }) => ({ name, title, scope, tiers }));
      context.print(rows.map((row) => `${row.name.padEnd(16)} ${row.scope.padEnd(9)} ${row.tiers.join("+").padEnd(9)} ${row.title}`).join("\n"), rows);
    });
  drill
    .command("sweep")
    .description("remove what a killed drill left: processes, directories, mounts")
    .action(async () => {
      const { sweep } = await import("../../drill/sweep.ts");
      const result = await sweep();
      const said = [...result.removed.map((what) => `removed ${what}`), ...result.running.map((id) => `left alone: ${id} is still running`), ...result.leftovers.map((what) => `NOT removed: ${what}`), `leftovers: ${result.leftovers.length}`];
      context.print(said.join("\n"), result);
      if (result.leftovers.length > 0) context.setExitCode(exitCodes.failed);
    });
}

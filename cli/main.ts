import { Command, CommanderError } from "commander";
import { exitCodes, DrError, messageOf } from "../runner/errors.ts";
import type { RunContext } from "../runner/context.ts";
import { killAllChildren } from "../runner/system/process.ts";
import type { CliContext } from "./context.ts";
import { errorData, renderError, usageError } from "./render/error.ts";
import { progressOn } from "./render/progress.ts";
import { registerAll } from "./commands/all.ts";
import { tellPeople } from "./tell.ts";

/** The command `dr`: arguments in, one call, a rendering out. Exit codes: see README.md, from runner/errors.ts. */
const interrupted = new AbortController();
const progress = progressOn(process.stderr);
let exitCode = 0;
let run: RunContext | undefined;
const endings: (() => Promise<void>)[] = [];

const program = new Command("dr")
  .description("Disaster recovery of BlackRoad: plan, back up, recover, verify, drill.")
  .option("--config <file>", "the run's configuration (JSON)", "/etc/blackroad-dr/config.json")
  .option("--json", "print the result as JSON", false)
  .option("--quiet", "no progress", false)
  .exitOverride()
  .showHelpAfterError("(dr --help lists the commands)");

const context: CliContext = {
  signal: interrupted.signal,
  print(human, data) {
    progress.end();
    process.stdout.write(program.opts<{ json: boolean }>().json ? `${JSON.stringify(data, undefined, 2)}\n` : `${human.replace(/\n$/, "")}\n`);
  },
  setExitCode: (code) => void (exitCode = code),
  atEnd: (work) => void endings.push(work),
  report: (step) => {
    if (!program.opts<{ quiet: boolean }>().quiet) progress.report(step);
  },
  async openRun() {
    const { openRun } = await import("./open-run.ts");
    run ??= await openRun(program.opts<{ config: string }>().config, interrupted.signal, context.report);
    return run;
  },
};

/** `backup redis snapshot`: the command without its arguments, which may name what is nobody's business. */
function wordsOf(command: Command): string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()];
}

/** Wrappers (`timeout`, a terminal, a service manager) signal a process and its group: that is one wish, told twice. */
const sameWish = 1_000; // ms
let firstSignalAt = 0;
let firstSignal: NodeJS.Signals | undefined;

/** The first signal ends the work and tears down; one that comes later ends everything at once. */
function onSignal(signal: NodeJS.Signals): void {
  if (interrupted.signal.aborted) {
    if (performance.now() - firstSignalAt < sameWish) return;
    killAllChildren();
    process.exit(exitCodes.interrupted);
  }
  firstSignalAt = performance.now();
  firstSignal = signal;
  progress.end();
  process.stderr.write(`dr: ${signal}: stopping; what was begun is being torn down (again to stop at once)\n`);
  interrupted.abort(new DrError({ kind: "interrupted", what: `stopped by ${signal}`, where: "dr", todo: "Start it again; what was begun was torn down." }));
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
process.on("SIGHUP", onSignal); // the terminal or the connection is gone: servers that were started would outlive it

/**
 * Whoever read our output may go before we end (`dr … | head`): that stops no backup, and leaves no server behind.
 * Anything else that keeps the result from being written is a failure, as nobody has it then.
 */
process.stderr.on("error", () => undefined); // there is nobody left to tell
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  process.stderr.write(`dr: the result could not be written: ${error.message}\n`);
  if (exitCode === 0) exitCode = exitCodes.failed;
  process.exitCode = exitCode; // it may come after the end below
});

registerAll(program, context);
const startedAt = new Date();
let words: readonly string[] = [];
let thrown: unknown;
program.hook("preAction", (_, action) => void (words = wordsOf(action)));
try {
  await program.parseAsync();
} catch (error) {
  thrown = error;
  progress.end();
  if (error instanceof CommanderError) {
    exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    // What was read before the mistake may lack the option, so the arguments themselves are asked.
    if (exitCode !== 0 && process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(errorData(usageError(error)), undefined, 2)}\n`);
  } else {
    const said = error instanceof DrError && error.kind === "interrupted";
    const cause = interrupted.signal.aborted && !said ? (interrupted.signal.reason as unknown) : error;
    exitCode = cause instanceof DrError ? cause.exitCode : exitCodes.failed;
    process.stderr.write(`${renderError(cause)}\n`);
    if (process.env["DR_TRACE"] === "1" && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    if (program.opts<{ json: boolean }>().json) process.stdout.write(`${JSON.stringify(errorData(cause), undefined, 2)}\n`);
  }
} finally {
  progress.end();
  for (const end of endings) await end().catch((error: unknown) => process.stderr.write(`dr: ${messageOf(error)}\n`));
  // Whoever stops a backup by hand knows of it; a pod whose deadline has passed is ended by SIGTERM.
  if (firstSignal !== "SIGINT") for (const problem of await tellPeople({ words, startedAt, exitCode, error: interrupted.signal.aborted ? interrupted.signal.reason : thrown, run, configFile: program.opts<{ config: string }>().config })) process.stderr.write(`dr: ${problem}\n`);
  for (const backend of run?.backends ?? []) backend.close();
  killAllChildren();
}
process.exitCode = exitCode;

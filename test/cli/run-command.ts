import { Command } from "commander";
import type { CliContext } from "../../cli/context.ts";
import type { RunContext } from "../../runner/context.ts";

export interface CommandResult {
  readonly human: string;
  readonly data: unknown;
  readonly exitCode: number;
}

/** Runs one command as `dr` would, over a run that a test has opened. What it throws is thrown. */
export async function runCommand(register: (program: Command, context: CliContext) => void, run: RunContext, args: readonly string[]): Promise<CommandResult> {
  const result = { human: "", data: undefined as unknown, exitCode: 0 };
  const endings: (() => Promise<void>)[] = [];
  const program = new Command("dr").exitOverride().configureOutput({ writeErr: () => undefined });
  register(program, {
    signal: run.signal,
    print: (human, data) => void Object.assign(result, { human, data }),
    setExitCode: (exitCode) => void Object.assign(result, { exitCode }),
    atEnd: (work) => void endings.push(work),
    report: (progress) => run.report(progress),
    openRun: () => Promise.resolve(run),
  });
  try {
    await program.parseAsync([...args], { from: "user" });
  } finally {
    for (const end of endings) await end();
  }
  return result;
}

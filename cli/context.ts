import type { Progress, RunContext } from "../runner/context.ts";

/** What a command is given: a way to say things, and a run to work with. A command file registers its commands on
 * commander and holds no logic: arguments in, one call, a rendering out. */
export interface CliContext {
  /** Prints the result: `human` for people, `data` as JSON where `--json` was asked for. */
  readonly print: (human: string, data: unknown) => void;
  /** Opens the run that `--config` describes; closed by the caller of the command. */
  readonly openRun: () => Promise<RunContext>;
  /** Makes `dr` end with this code although nothing was thrown (e.g. `exitCodes.partial`). */
  readonly setExitCode: (code: number) => void;
  /** Done when the command has ended, however it did. */
  readonly atEnd: (work: () => Promise<void>) => void;
  readonly signal: AbortSignal;
  /** Shows what is being done; on a terminal one line, elsewhere plain lines. */
  readonly report: (progress: Progress) => void;
}

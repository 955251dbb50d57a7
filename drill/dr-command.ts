import { resolve } from "node:path";
import { z } from "zod";
import { DrError, exitCodes } from "../runner/errors.ts";
import { run, type RunResult } from "../runner/system/process.ts";

/** `dr` as a process of its own, as an operator or a job would start it: it shares nothing with the drill. */
const command = resolve(import.meta.dirname, "..", "cli", "dr.ts");

export interface DrOptions {
  readonly config: string;
  /** Seconds until it is killed. */
  readonly deadline: number;
  readonly networkNamespace?: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Jobs give way to the databases beside them, as their share of the processor makes them do in production. */
  readonly nice?: number;
  /** Exit codes besides 0 that are not an error here. */
  readonly accept?: readonly number[];
  readonly onProgress?: (line: string) => void;
}

export interface DrResult extends RunResult {
  /** What `--json` printed. */
  readonly data: unknown;
}

const failureSchema = z.object({ error: z.object({ what: z.string(), where: z.string(), todo: z.string() }) });

function parse(text: string): unknown {
  if (text.trim() === "") return undefined;
  return JSON.parse(text) as unknown;
}

/** Runs `dr ARGS --json`. A code that is not accepted throws the error that `dr` itself named. */
export async function runDr(args: readonly string[], options: DrOptions): Promise<DrResult> {
  const { onProgress } = options;
  const result = await run(process.execPath, [command, "--config", options.config, "--json", ...args], {
    deadline: options.deadline,
    accept: [0, 1, 2, 3, 4, 5, 130],
    networkNamespace: options.networkNamespace,
    signal: options.signal,
    ...(options.nice === undefined ? {} : { nice: options.nice }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(onProgress === undefined ? {} : { onLine: (line: string, stream: "stdout" | "stderr") => { if (stream === "stderr") onProgress(line); } }),
  });
  const data = parse(result.stdout);
  if (result.code === 0 || options.accept?.includes(result.code) === true) return { ...result, data };
  const failure = failureSchema.safeParse(data);
  const kind = (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).find((name) => exitCodes[name] === result.code) ?? "failed";
  if (failure.success) throw new DrError({ kind, ...failure.data.error });
  throw new DrError({ kind, what: `dr ${args.join(" ")} ended with exit code ${result.code}: ${result.stderr.trim().split("\n").slice(-4).join(" | ")}`, where: options.config, todo: "Run the same command by hand." });
}

import { exitCodes } from "../runner/errors.ts";
import type { RunContext } from "../runner/context.ts";
import type { RunnerConfig } from "../runner/config.ts";

export interface CommandOutcome {
  /** The command without its options and arguments, e.g. `backup redis snapshot`. */
  readonly words: readonly string[];
  readonly startedAt: Date;
  readonly exitCode: number;
  readonly error?: unknown;
  /** Absent where it could not be opened. */
  readonly run?: RunContext | undefined;
  readonly configFile: string;
}

/**
 * Tells people how a backup or a verification went, where the configuration says whom. Returns what went wrong with it; the command's
 * own end is what it was.
 */
export async function tellPeople({ words, startedAt, exitCode, error, run, configFile }: CommandOutcome): Promise<readonly string[]> {
  if (words[0] !== "backup" && words[0] !== "verify") return [];
  const config = run?.config ?? (await configurationAt(configFile));
  if (config?.notifications === undefined) return [];
  const { tellOutcome } = await import("../runner/notify/tell.ts");
  const plan = run?.plan ?? (await import("../plan/blackroad.ts")).blackroad;
  const result = exitCode === 0 ? "ok" : exitCode === exitCodes.partial ? "partial" : "failed";
  return tellOutcome({ plan, notifications: config.notifications, run }, { words, startedAt, finishedAt: new Date(), result, ...(error === undefined ? {} : { error }) });
}

/** What could not be opened may still say whom to tell; one that cannot be read has been complained about already. */
async function configurationAt(path: string): Promise<RunnerConfig | undefined> {
  const { readConfig } = await import("../runner/config.ts");
  return readConfig(path).catch(() => undefined);
}

import { lookUpProgram } from "./programs.ts";

/**
 * The same command, but it dies with us however we end: it leads a process group of its own, so a SIGKILL to ours does
 * not reach it, and an orphan would hold locks, or go on writing beside the next run. `setpriv` (util-linux) sets the
 * signal and becomes the program; without it the orphan goes on to its end.
 */
export async function dyingWithUs(program: string, args: readonly string[]): Promise<readonly [string, readonly string[]]> {
  const setpriv = process.platform === "linux" ? await lookUpProgram("setpriv") : undefined;
  return setpriv === undefined ? [program, args] : [setpriv, ["--pdeathsig", "KILL", "--", program, ...args]];
}

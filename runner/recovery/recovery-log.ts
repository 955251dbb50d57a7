/** What PostgreSQL's log tells of a recovery. Pure. */
import { DrError } from "../errors.ts";

export interface RecoveryLog {
  readonly segments: number;
  /** Seconds that the redo took by PostgreSQL's own count. */
  readonly redoSeconds?: number;
  readonly redoEnd?: string;
  readonly lastCommit?: string;
  readonly paused: boolean;
  /** Why the server ended. */
  readonly fatal?: string;
}

/** What PostgreSQL's log says of the recovery so far. */
export function readRecoveryLog(text: string): RecoveryLog {
  const redo = /redo done at (\S+) .*elapsed: ([\d.]+) s/.exec(text);
  const lastCommit = /last completed transaction was at log time (\S+ \S+)/.exec(text)?.[1];
  const fatal = [...text.matchAll(/(?:FATAL|PANIC):\s+(.+)/g)].map((match) => match[1] ?? "").filter((line) => !/the database system is|not yet accepting|not accepting connections/.test(line)).at(0);
  return {
    segments: [...text.matchAll(/restored log file "[0-9A-F]{24}" from archive/g)].length,
    ...(redo?.[1] === undefined ? {} : { redoEnd: redo[1], redoSeconds: Number(redo[2]) }),
    ...(lastCommit === undefined ? {} : { lastCommit }),
    paused: text.includes("recovery has paused") || text.includes("pausing at the end of recovery"),
    ...(fatal === undefined ? {} : { fatal }),
  };
}

/** What PostgreSQL says where the WAL ends before the target. */
export const targetMissed = "recovery ended before configured recovery target was reached";

/** Why the server ended before its recovery did. */
export function recoveryFailed(server: { readonly logFile: string; readonly dataDirectory: string }, text: string): DrError {
  const { fatal, lastCommit } = readRecoveryLog(text);
  if (fatal?.includes(targetMissed) === true) {
    return new DrError({
      kind: "failed",
      what: `${fatal}: the archived WAL ends before the target${lastCommit === undefined ? "" : `, its last commit was at ${lastCommit}`}`,
      where: server.logFile,
      todo: "Recover to the latest, or to an earlier target; or wait until the target's WAL is archived.",
    });
  }
  // Where a segment does not fit, pgBackRest has no reason of its own, and PostgreSQL takes it for the WAL's end.
  if (/No space left on device|unable to write '[^']*'/.test(text)) return new DrError({ kind: "failed", what: "the disk became full during the recovery", where: server.dataDirectory, todo: "Recover onto a larger disk." });
  const tail = text.trim().split("\n").slice(-3).join("; ");
  return new DrError({ kind: "failed", what: `PostgreSQL stopped during the recovery: ${fatal ?? (tail === "" ? "its log is empty" : tail)}`, where: server.logFile, todo: "Read its log." });
}

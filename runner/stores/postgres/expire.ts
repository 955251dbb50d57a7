/** Expiry of what pgBackRest cannot expire by itself: it counts full backups, and keeps what hangs on them as long. */
import type { ScheduleName } from "../../../plan/types.ts";
import { expiryOf } from "../../backup-record.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { describeLease } from "../../retention/lease.ts";
import { recoveryStanding } from "../../retention/recovery-lease.ts";
import { lockedCode } from "./faults.ts";
import type { BackupType, RepositoryBackup } from "./info.ts";
import type { OpenRepository } from "./repositories.ts";

const schedules: Readonly<Record<Exclude<BackupType, "full">, ScheduleName>> = { diff: "postgres-diff", incr: "postgres-incremental" };
/** Seconds; expiring deletes objects, a thousand a request. */
const expireDeadline = 600;

/** The labels whose time is over (S3: incrementals 24 h; S4: differentials 7 d) and that nothing kept needs. */
export function expired(backups: readonly RepositoryBackup[], isOver: (backup: RepositoryBackup) => boolean): string[] {
  const kept = new Set(backups.filter((backup) => !isOver(backup)).flatMap(({ label, references }) => [label, ...references]));
  const newest = backups.at(-1);
  return backups.filter((backup) => isOver(backup) && backup !== newest && !kept.has(backup.label)).map(({ label }) => label);
}

/** Expires them, one by one. A failure here loses nothing and is said: the next run tries again. */
export async function expireOld(context: RunContext, open: OpenRepository, backups: readonly RepositoryBackup[]): Promise<void> {
  const recovery = await recoveryStanding(context);
  if (recovery !== undefined) {
    context.report({ step: `${open.name}: nothing expires, because of ${describeLease(recovery)}` });
    return;
  }
  const now = context.clock.now();
  const isOver = ({ type, stoppedAt }: RepositoryBackup): boolean => {
    if (type === "full") return false; // by pgBackRest's own retention
    const until = expiryOf(context.plan, schedules[type], stoppedAt);
    return until !== null && new Date(until) < now;
  };
  try {
    for (const label of expired(backups, isOver)) await open.command(["expire", `--set=${label}`], { deadline: expireDeadline, accept: [lockedCode] });
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `${open.name}: old backups could not be expired: ${messageOf(error)}` });
  }
}

import { formatDuration, formatSize } from "../../plan/units.ts";
import type { Recovery } from "../../runner/stores/postgres/recover.ts";

/** A recovery of PostgreSQL that is done, for people. */
export function renderRecovery(recovery: Recovery): string {
  const { seconds, recoveredTo, bytes } = recovery;
  return [
    `recovered from ${recovery.repository}, backup ${recovery.label}, to ${recoveredTo.time ?? "the backup's end"} (LSN ${recoveredTo.lsn}, timeline ${recoveredTo.timeline})`,
    ...recovery.failed.map(({ repository, error }) => `not from ${repository}: ${error}`),
    ...(recovery.movedAside === undefined ? [] : [`what was there is in ${recovery.movedAside}`]),
    `${recovery.promoted ? "takes writes" : "paused at the target, read-only"}: psql -h ${recovery.socketDirectory} -p ${recovery.port} -U postgres`,
    `data in ${recovery.dataDirectory}, log in ${recovery.logFile}; it listens on the socket alone and archives nothing`,
    `looked ${formatDuration(seconds.plan)}, restored ${formatSize(bytes.restored)} in ${formatDuration(seconds.fetch)}, replayed ${formatSize(bytes.wal)} in ${formatDuration(seconds.replay)}, promoted in ${formatDuration(seconds.promote)}; in all ${formatDuration(seconds.total)}`,
  ].join("\n");
}

import { formatDuration, formatSize } from "../../plan/units.ts";
import type { BackupStatus, StatusParts, WalStatus } from "./status.ts";

/**
 * What a person must look at, in the order in which it matters. A single run that failed in one backend is not among
 * it while the copy before it is recent enough: that is shown, and the next run mends it.
 */
export function alarmsOf({ backups, wal, replication, backends, verifications, problems }: StatusParts): string[] {
  return [
    ...replicationAlarms(replication),
    ...backends.flatMap(({ name, error }) => (error === undefined ? [] : [`backend ${name} cannot be used: ${error}`])),
    ...backups.flatMap(backupAlarms),
    // Of a backend that is down it is said already that nothing in it can be seen.
    ...wal.filter((state) => backends.every(({ name, error }) => name !== state.backend || error === undefined)).flatMap(walAlarms),
    ...backends.flatMap(({ name, low, availableBytes }) => (low && availableBytes !== undefined ? [`backend ${name} has only ${formatSize(availableBytes)} left`] : [])),
    ...verifications.flatMap(({ store, backup, ok, overdue, ageSeconds }) => [...(ok ? [] : [`${store}: the newest verification failed (${backup})`]), ...(overdue ? [`${store}: the newest verification is ${formatDuration(ageSeconds)} old`] : [])]),
    // A backend that cannot be read is named above already.
    ...problems.flatMap(({ backend, key, what }) => (key === undefined ? [] : [`damaged record ${key} in ${backend}: ${what}`])),
  ];
}

/** A server that does not answer is no matter of backups, and the first that a person must know. */
function replicationAlarms(replication: StatusParts["replication"]): string[] {
  if (replication === undefined) return [];
  const { error, lags, boundSeconds } = replication;
  if (error !== undefined) return [`PostgreSQL cannot be asked: ${error}`];
  return lags.flatMap(({ standby, seconds }) => {
    if (seconds === undefined) return [`${standby} receives nothing from its leader`];
    return seconds > boundSeconds ? [`${standby} is ${formatDuration(seconds)} behind, promised are ${formatDuration(boundSeconds)}`] : [];
  });
}

function backupAlarms({ store, kind, copies, overdueAfterSeconds, state }: BackupStatus): string[] {
  const name = `${store} ${kind}`;
  if (state === "missing") return [`${name}: no backup in any backend`];
  return copies.flatMap(({ backend, newest, state: copy }) => {
    if (copy === "missing") return [`${name}: no copy in ${backend}`];
    return copy === "overdue" ? [`${name}: the newest copy in ${backend} is ${formatDuration(newest?.ageSeconds ?? 0)} old, overdue after ${formatDuration(overdueAfterSeconds)}`] : [];
  });
}

function walAlarms({ backend, state, ageSeconds, error }: WalStatus): string[] {
  if (error !== undefined) return [`WAL in ${backend} cannot be seen: ${error}`];
  if (state === "missing") return [`no WAL in ${backend}`];
  return state === "overdue" ? [`the newest WAL in ${backend} is ${formatDuration(ageSeconds ?? 0)} old`] : [];
}

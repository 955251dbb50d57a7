import { countText } from "../../drill/report/counts.ts";
import { textTable } from "../../drill/report/text-table.ts";
import { formatDuration, formatSize } from "../../plan/units.ts";
import type { BackupStatus, CopyStatus, Status, WalStatus } from "../../runner/status/status.ts";

const age = (seconds: number | undefined): string => (seconds === undefined ? "none" : formatDuration(seconds));

function copyText({ backend, newest, state }: CopyStatus): string {
  if (newest === undefined) return `${backend} none`;
  return `${backend} ${age(newest.ageSeconds)}${newest.bytes > 0 ? `, ${formatSize(newest.bytes)}` : ""}${state === "ok" ? "" : ` (${state})`}`;
}

const backupRow = ({ store, kind, intervalSeconds, lastRun, copies, state }: BackupStatus): string[] => [
  store,
  kind,
  formatDuration(intervalSeconds),
  lastRun === undefined ? "never" : `${age(lastRun.ageSeconds)} ago, ${lastRun.outcome}`,
  copies.map(copyText).join("; "),
  state,
];

const walRow = ({ backend, newest, ageSeconds, state, error }: WalStatus): string[] => [backend, newest?.segment ?? "none", age(ageSeconds), error ?? state];

function replicationLines(replication: Status["replication"]): string[] {
  if (replication === undefined) return [];
  const { error, role, lags } = replication;
  if (error !== undefined || role === undefined) return [error ?? "nothing is known"];
  if (lags.length === 0) return ["no replica streams from this leader"];
  return lags.map(({ standby, mode, seconds }) => `${standby} (${mode}): ${seconds === undefined ? "receives nothing" : `${formatDuration(seconds)} behind`}`);
}

/** `dr status` for people: what is wrong comes last, where a terminal shows it. */
export function renderStatus(status: Status): string {
  const { backups, windows, wal, replication, backends, verifications, problems, alarms } = status;
  const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ""]);
  const errors = backups.flatMap(({ store, kind, lastRun }) => (lastRun?.errors ?? []).map((error) => `the last ${store} ${kind} failed in ${error}`));
  const columns = [{ title: "store" }, { title: "kind" }, { title: "every", align: "right" }, { title: "last run" }, { title: "newest good copy, by backend" }, { title: "state" }] as const;
  return [
    ...section("backups", backups.length === 0 ? [] : textTable(columns, backups.map(backupRow), 118)),
    ...section("", errors).slice(1),
    ...section("recovery window", windows.map((window) => `${window.store}: from ${window.oldest} to ${window.newest}, ${formatDuration(window.seconds)} of ${formatDuration(window.objectiveSeconds)}`)),
    ...section("newest WAL in the bucket", wal.length === 0 ? [] : textTable([{ title: "backend" }, { title: "segment" }, { title: "age", align: "right" }, { title: "state" }], wal.map(walRow), 118)),
    ...section("replication of PostgreSQL", replicationLines(replication)),
    ...section("verified", verifications.map(({ store, backup, ageSeconds, ok }) => `${store}: ${ok ? "good" : "NOT GOOD"}, ${age(ageSeconds)} ago (${backup})`)),
    ...section("storage", backends.map(({ name, error, availableBytes }) => `${name}: ${error ?? (availableBytes === undefined ? "reachable, nothing says how much is free" : `${formatSize(availableBytes)} free`)}`)),
    ...(alarms.length === 0 ? ["all is as the plan wants it"] : [`${countText(alarms.length)} to look at:`, ...alarms.map((alarm) => `  ! ${alarm}`)]),
    ...(problems.every(({ key }) => key === undefined) ? [] : ["`dr catalog list` names what the catalog lacks"]),
  ].join("\n");
}

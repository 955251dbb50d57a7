import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { lacksIn, recoveryPointKind, systemStore, type MadeRestorePoint, type PartResult, type RecoveryPoint, type SavedPart } from "../../../runner/recovery-point/record.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const both = [{ backend: "r2", error: null }, { backend: "s3", error: null }];

/** A part that stands in both backends; whatever else is asked for replaces the rest. */
export function part(store: string, time: string, more: Partial<SavedPart> = {}): SavedPart {
  return {
    store, order: store === "postgres" ? "base" : "before", needed: store !== "agents", status: "saved",
    backup: `${store}-of-${time}`, watermark: { time, lsn: null }, finishedAt: time,
    notAfter: { lsn: "0/3000000", timeline: 1 }, expiresAt: null, places: both, ...more,
  };
}

export const restorePoint = (time: string, more: Partial<MadeRestorePoint> = {}): MadeRestorePoint => ({
  status: "made", name: "point", lsn: "0/3000100", timeline: 1, time, segment: "000000010000000000000003", record: "restore-point", expiresAt: "2099-01-01T00:00:00.000Z", places: both, ...more,
});

/** Postgres, Redis and agents that fit each other, at `time`. */
export function point(time: string, more: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return { parts: [part("postgres", time, { watermark: { time, lsn: "0/2000000" } }), part("redis", time), part("agents", time)], restorePoint: restorePoint(time), beside: [], ...more };
}

/** The same with one part replaced. */
export const withPart = (whole: RecoveryPoint, changed: PartResult): RecoveryPoint => ({ ...whole, parts: whole.parts.map((one) => (one.store === changed.store ? changed : one)) });

/** The record of a point, with its copies as `backUpAll` would judge them. */
export function pointRecord(startedAt: string, whole: RecoveryPoint = point(startedAt), more: Partial<BackupRecord> = {}): BackupRecord {
  const copies = ["r2", "s3"].map((backend) => {
    const lacks = lacksIn(whole, backend);
    return lacks.length === 0 ? copyOk(backend) : copyFailed(backend, lacks.join("; "));
  });
  return record(systemStore, recoveryPointKind, startedAt, { copies, encryption: "none", details: { recoveryPoint: whole }, ...more });
}

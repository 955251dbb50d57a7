import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { scalePlan } from "../../../plan/scale.ts";
import { gib } from "../../../plan/units.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { expectedBackups, storeAndKind } from "../../../runner/status/expected.ts";
import { statusOf, type StatusInput } from "../../../runner/status/status.ts";
import { copyVerificationOf, verificationOf } from "../../../runner/verification.ts";
import { verificationRecord } from "../../../runner/verification-record.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const now = new Date("2026-11-22T20:30:00Z");
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
const backends = [{ name: "r2", availableBytes: gib(100) }, { name: "s3" }];

function status(records: readonly BackupRecord[], more: Partial<StatusInput> = {}) {
  const ordered = [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
  return statusOf({ plan: blackroad, now, listing: { records: ordered, problems: [] }, backends, wal: [], stores: ["redis"], ...more });
}
const backup = (of: ReturnType<typeof status>, store: string, kind: string) => of.backups.find((entry) => entry.store === store && entry.kind === kind);

describe("what is expected", () => {
  it("is every schedule that leaves a backup, by the names its records have", () => {
    expect(storeAndKind("redis-snapshot")).toEqual({ store: "redis", kind: "snapshot" });
    expect(storeAndKind("config-snapshot")).toEqual({ store: "configuration", kind: "snapshot" });
    expect(storeAndKind("verify")).toBeUndefined();
    expect(expectedBackups(blackroad, new Set(["postgres"])).map(({ kind }) => kind)).toEqual(["incremental", "diff", "full"]);
  });

  it("is overdue an interval and a deadline after the newest began, also in a scaled plan", () => {
    const [shipped] = expectedBackups(blackroad, new Set(["redis"]));
    const [scaled] = expectedBackups(scalePlan(blackroad, 20), new Set(["redis"]));
    expect(shipped).toMatchObject({ intervalSeconds: 300, overdueAfterSeconds: 300 + 240 });
    expect(scaled).toMatchObject({ intervalSeconds: 15, overdueAfterSeconds: 15 + 240 });
  });
});

describe("the status of a store's backups", () => {
  it("is good while every backend has a recent copy", () => {
    const good = status([record("redis", "snapshot", ago(4))]);
    expect(good).toMatchObject({ ok: true, reachable: true, alarms: [] });
    expect(backup(good, "redis", "snapshot")).toMatchObject({ state: "ok", lastRun: { outcome: "ok", ageSeconds: 240 } });
  });

  it("is an alarm where nothing was ever backed up, and for a store that is not run it is not", () => {
    expect(status([]).alarms).toEqual(["redis snapshot: no backup in any backend"]);
    expect(status([], { stores: [] }).backups).toEqual([]);
  });

  it("becomes overdue when the next run should have ended", () => {
    expect(status([record("redis", "snapshot", ago(9))]).ok).toBe(true);
    const late = status([record("redis", "snapshot", ago(9.1))]);
    expect(backup(late, "redis", "snapshot")?.state).toBe("overdue");
    expect(late.alarms).toHaveLength(2);
    expect(late.alarms[0]).toBe("redis snapshot: the newest copy in r2 is 9 min 6 s old, overdue after 9 min");
  });

  it("judges each backend by itself: a copy that fails again and again is an alarm although the runs go on", () => {
    const records = [record("redis", "snapshot", ago(30)), ...[20, 15, 10, 5, 0].map((minutes) => record("redis", "snapshot", ago(minutes), { copies: [copyOk("r2"), copyFailed("s3")] }))];
    const seen = status(records);
    expect(backup(seen, "redis", "snapshot")).toMatchObject({ state: "partial", lastRun: { outcome: "partial", errors: ["s3: connection refused"] } });
    expect(seen.alarms).toEqual(["redis snapshot: the newest copy in s3 is 30 min old, overdue after 9 min"]);
  });

  it("forgives one failed run while the copy before it is recent enough, and shows it", () => {
    const seen = status([record("redis", "snapshot", ago(6)), record("redis", "snapshot", ago(1), { copies: [copyFailed("r2"), copyFailed("s3")] })]);
    expect(seen.ok).toBe(true);
    expect(backup(seen, "redis", "snapshot")?.lastRun).toMatchObject({ outcome: "failed", errors: ["r2: connection refused", "s3: connection refused"] });
  });

  it("lets a full backup of PostgreSQL stand for the smaller ones that it superseded", () => {
    const seen = status([record("postgres", "full", ago(10))], { stores: ["postgres"] });
    expect(seen.backups.map(({ kind, state }) => `${kind} ${state}`)).toEqual(["incremental ok", "diff ok", "full ok"]);
    const later = status([record("postgres", "full", ago(100))], { stores: ["postgres"] });
    expect(later.backups.map(({ kind, state }) => `${kind} ${state}`)).toEqual(["incremental overdue", "diff ok", "full ok"]);
  });

  it("does not take a verification for a backup", () => {
    const backedUp = record("redis", "snapshot", ago(60));
    const verification = verificationRecord(`z-${backedUp.id}`, backedUp, verificationOf(backedUp.id, "redis", []), { startedAt: now, finishedAt: now, expiresAt: null });
    expect(backup(status([backedUp, verification]), "redis", "snapshot")?.state).toBe("overdue");
  });
});

describe("the status of the WAL", () => {
  const wal = (minutes: number) => [{ backend: "r2", newest: { segment: "000000010000000000000005", at: ago(minutes) } }];
  const base = [record("postgres", "full", ago(10))];
  const state = (minutes: number, more: Partial<StatusInput> = {}) => status(base, { stores: ["postgres"], wal: wal(minutes), ...more }).wal[0]?.state;

  it("is late past the archiver's own bound, and an alarm past the warning on the recovery point", () => {
    expect(state(1.2)).toBe("ok");
    expect(state(1.3)).toBe("late");
    expect(state(7.4)).toBe("late");
    expect(state(7.6)).toBe("overdue");
  });

  it("may take longer while another repository is down", () => {
    expect(state(2.5, { backends: [{ name: "r2" }, { name: "s3", error: "refused" }] })).toBe("ok");
  });

  it("is an alarm where there is none, or where it cannot be seen", () => {
    const alarms = status(base, { stores: ["postgres"], wal: [{ backend: "r2" }, { backend: "s3", error: "refused" }] }).alarms;
    expect(alarms).toEqual(["no WAL in r2", "WAL in s3 cannot be seen: refused"]);
  });

  it("is where the recovery window ends, which begins with the oldest full backup", () => {
    const records = [record("postgres", "incremental", ago(3_000)), record("postgres", "full", ago(2_000)), record("postgres", "full", ago(10)), record("postgres", "full", ago(2_500), { copies: [copyFailed("r2")] })];
    const [window] = status(records, { stores: ["postgres"], wal: wal(1) }).windows;
    expect(window).toEqual({ store: "postgres", oldest: ago(2_000), newest: ago(1), seconds: 1_999 * 60, objectiveSeconds: blackroad.recovery.window });
  });
});

describe("the rest of the status", () => {
  it("shows a recovery window only of what schedules make, and of no restore point or recovery point", () => {
    const seen = status([record("redis", "snapshot", ago(3)), record("redis", "before-recovery", ago(900)), record("system", "recovery-point", ago(900)), record("postgres", "restore-point", ago(900))]);
    expect(seen.windows.map(({ store, oldest }) => [store, oldest])).toEqual([["redis", ago(3)]]);
  });

  it("names backends that are down, storage that runs low, and damaged records", () => {
    const seen = status([record("redis", "snapshot", ago(1))], {
      backends: [{ name: "r2", availableBytes: gib(9) }, { name: "s3", error: "the store refuses connections" }],
      listing: { records: [record("redis", "snapshot", ago(1))], problems: [{ backend: "r2", key: "catalog/redis/x.json", what: "cut in half" }, { backend: "s3", what: "the store refuses connections" }] },
    });
    expect(seen.alarms).toEqual(["backend s3 cannot be used: the store refuses connections", "backend r2 has only 9 GiB left", "damaged record catalog/redis/x.json in r2: cut in half"]);
  });

  it("knows nothing of backups where no backend can be read, rather than that there are none", () => {
    const dark = status([], { backends: [{ name: "r2", error: "down" }, { name: "s3", error: "down" }] });
    expect(dark).toMatchObject({ ok: false, reachable: false, backups: [] });
    expect(dark.alarms).toEqual(["backend r2 cannot be used: down", "backend s3 cannot be used: down"]);
  });

  it("raises an alarm over a verification that failed, and over one that is too old", () => {
    const backedUp = record("redis", "snapshot", ago(1));
    const at = new Date(ago(60 * 24 * 8));
    const bad = verificationRecord("20260101-old", backedUp, verificationOf(backedUp.id, "redis", [copyVerificationOf("r2", [], ["a byte"], 1)]), { startedAt: at, finishedAt: at, expiresAt: null });
    const seen = status([backedUp, bad]);
    expect(seen.verifications).toMatchObject([{ store: "redis", ok: false, overdue: true }]);
    expect(seen.alarms).toHaveLength(2);
  });
});

describe("the replication", () => {
  const alarms = (replication: StatusInput["replication"]) => status([], { stores: [], ...(replication === undefined ? {} : { replication }) }).alarms;

  it("is an alarm where the server does not answer, a standby is behind, or a replica receives nothing", () => {
    expect(alarms({ error: "connection refused", lags: [] })).toEqual(["PostgreSQL cannot be asked: connection refused"]);
    expect(alarms({ role: "leader", lags: [{ standby: "a2", mode: "sync", seconds: 0.4 }, { standby: "b1", mode: "async", seconds: 90 }] })).toEqual(["b1 is 1 min 30 s behind, promised are 1 s"]);
    expect(alarms({ role: "replica", lags: [{ standby: "this replica", mode: "replica" }] })).toEqual(["this replica receives nothing from its leader"]);
  });

  it("is none where all keep up, or where this run has no server", () => {
    expect(alarms({ role: "leader", lags: [{ standby: "a2", mode: "sync", seconds: 0 }] })).toEqual([]);
    expect(alarms(undefined)).toEqual([]);
  });
});

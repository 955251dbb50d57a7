import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { scheduleOf, storeOf } from "../../plan/find.ts";
import { intervalOf } from "../../plan/schedule.ts";
import type { Alert, ScheduleName } from "../../plan/types.ts";
import { days, gib, hours, minutes, seconds } from "../../plan/units.ts";

const schedule = (name: ScheduleName) => {
  const found = scheduleOf(blackroad, name);
  if (found === undefined) throw new Error(`no schedule ${name}`);
  return found;
};

const thresholdOf = (alert: Alert): number | undefined => ("share" in alert ? alert.share : "above" in alert ? alert.above : "below" in alert ? alert.below : undefined);

describe("the shipped plan holds the requirements' figures", () => {
  it("O1, O2, O4, O5, S2: RPO 15 min, RTO 1 h, 90 days, 3 regions, lag under 1 s", () => {
    expect(blackroad.system).toEqual({ rpo: minutes(15), rto: hours(1), retention: days(90), regions: 3, replicationLag: seconds(1) });
    expect(blackroad.regions.map((region) => region.name)).toEqual(["us-east-1", "us-west-2", "eu-west-1"]);
  });

  it("O6, O7, O8: the tiers' times", () => {
    expect(Object.fromEntries(Object.entries(blackroad.tiers).map(([tier, { rto }]) => [tier, rto]))).toEqual({ hot: minutes(5), warm: minutes(30), cold: hours(4) });
  });

  it("S3, S4, S5: incrementals at least every 15 min for 24 h, hourly for 7 days, daily at 02:00 for 90 days", () => {
    expect([intervalOf(schedule("postgres-incremental")), schedule("postgres-incremental").retention]).toEqual([minutes(15), hours(24)]);
    expect([intervalOf(schedule("postgres-diff")), schedule("postgres-diff").retention]).toEqual([hours(1), days(7)]);
    expect([schedule("postgres-full").cron, schedule("postgres-full").retention, schedule("postgres-full").command]).toEqual(["0 2 * * *", days(90), ["backup", "all"]]);
    expect(schedule("redis-snapshot").retention).toBe(hours(24));
    expect(schedule("redis-snapshot").keepLonger).toEqual([{ every: hours(1), retention: days(7) }, { every: days(1), retention: days(90) }]);
    expect(schedule("vault-snapshot").keepLonger?.at(-1)).toEqual({ every: days(1), retention: days(90) });
  });

  it("S6, S7: a weekly archive for a year, a weekly verification on Sunday at 04:00", () => {
    expect([intervalOf(schedule("archive")), schedule("archive").retention]).toEqual([days(7), days(365)]);
    expect(schedule("verify").cron).toBe("0 4 * * 0");
  });

  it("facts: Redis, vectors, objects and Vault run every 5 minutes", () => {
    for (const name of ["redis-snapshot", "vectors-snapshot", "objects-sync", "vault-snapshot"] as const) expect(intervalOf(schedule(name)), name).toBe(minutes(5));
  });

  it("D1 to D8: every store with its category and its RPO", () => {
    const rpo = Object.fromEntries(blackroad.stores.map((store) => [store.name, blackroad.categories[store.category].rpo]));
    expect(rpo).toEqual({ postgres: 0, redis: 0, vault: 0, vectors: 900, objects: 900, logs: 3_600, metrics: 3_600, configuration: 3_600 });
    expect([schedule("logs-ship").retention, schedule("metrics-snapshot").retention, schedule("config-snapshot").retention]).toEqual([days(30), days(90), "forever"]);
  });

  it("D6, D7: what is kept 30 and 90 days is not archived for a year", () => {
    for (const name of ["logs", "metrics"] as const) expect(storeOf(blackroad, name)?.copies.some((copy) => copy.kind === "backup" && copy.backend === "archive"), name).toBe(false);
  });

  it("B1, B2, B3: the backends", () => {
    expect(blackroad.backends.map(({ name, bucket, region, kind }) => [name, bucket, region, kind])).toEqual([
      ["r2", "blackroad-backups", "auto", "r2"],
      ["s3", "blackroad-backups-dr", "us-west-2", "s3"],
      ["archive", "blackroad-archive", "eu-west-1", "glacier-vault"],
    ]);
  });

  it("B4: what goes to R2 goes to S3 as well, at the source", () => {
    for (const store of blackroad.stores.filter(({ name }) => name !== "objects")) {
      const written = (backend: string) => store.copies.flatMap((copy) => ("backend" in copy && copy.backend === backend ? [copy.schedule] : []));
      expect(written("s3"), store.name).toEqual(written("r2"));
      expect(written("s3").length, store.name).toBeGreaterThan(0);
    }
  });

  it("R5: WAL 7 days, checkpoints 24 h, window 7 days; Object Lock 7 days", () => {
    expect(blackroad.recovery).toEqual({ walRetention: days(7), checkpointRetention: hours(24), window: days(7), timeToNotice: days(7) });
    expect(blackroad.backends.filter((backend) => backend.role !== "archive").map((backend) => backend.immutableFor)).toEqual([days(7), days(7)]);
  });

  it("N8 to N11, a warning at half of the RPO, and what else an operator must be told", () => {
    expect(blackroad.alerts.map((alert) => [alert.name, alert.keeps, alert.for, alert.severity, thresholdOf(alert)])).toEqual([
      ["BackupFailed", "N8", minutes(5), "critical", 0],
      ["BackupOverdue", "N9", minutes(5), "warning", 7_200],
      ["RecoveryPointStale", "N10", minutes(5), "warning", 900],
      ["RecoveryPointAging", "O1", minutes(5), "warning", 450],
      ["BackupStorageLow", "N11", minutes(10), "warning", 10_737_418_240],
      ["WalArchiveLate", "S2", minutes(2), "warning", 180],
      ["ReplicationLagHigh", "S2", minutes(1), "warning", 1],
      ["SynchronousStandbyMissing", "D1", minutes(2), "critical", undefined],
      ["StoreRecoveryPointAging", "O1", minutes(2), "warning", 0.75],
      ["VerificationFailed", "V1", minutes(5), "critical", undefined],
      ["DrillOverdue", "V2", hours(1), "warning", days(8)],
      ["R2TokenExpiring", "B1", hours(1), "warning", days(14)],
      ["BackupExporterDown", "N1", minutes(5), "critical", undefined],
      ["BackupMetricsStale", "N1", minutes(5), "critical", minutes(10)],
    ]);
    expect(gib(10)).toBe(10_737_418_240);
  });

  it("M1, M2: archive_timeout 60 s, appendfsync everysec", () => {
    expect([blackroad.postgres.archiveTimeout, blackroad.redis.appendFsync]).toEqual([60, "everysec"]);
  });

  it("F8: WAL is at most 3 min old with a dead repository", () => {
    expect(blackroad.postgres.archiveTimeout + blackroad.postgres.pushBoundDegraded).toBeLessThanOrEqual(minutes(3));
  });

  it("every command is one of the command dr", () => {
    for (const { name, command } of blackroad.schedules) expect(["backup", "verify"], name).toContain(command[0]);
  });
});

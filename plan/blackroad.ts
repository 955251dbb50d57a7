import { accepted } from "./blackroad/accepted.ts";
import { recoveryWindow, regions, replicationLag, retention, systemRpo, tierRto, timeToNotice } from "./blackroad/figures.ts";
import { schedules } from "./blackroad/schedules.ts";
import { stores } from "./blackroad/stores.ts";
import { definePlan } from "./define-plan.ts";
import { dnsSwitchOver } from "./recovery-time.ts";
import type { Alert, Backend, DnsFailover, Plan, Region, TierTimes } from "./types.ts";
import { addDurations, bytesPerSecond, days, gib, hours, kib, mib, mibPerSecond, minutes, seconds } from "./units.ts";

/** O5. Each region has one member of etcd and one Sentinel, so that any one of them can be lost. */
const places: readonly Region[] = [
  { name: regions.primary, role: "primary", continent: "north-america", provider: "aws" },
  { name: regions.secondary, role: "secondary", continent: "north-america", provider: "aws" },
  { name: regions.third, role: "witness", continent: "europe", provider: "aws" },
];

const backends: readonly Backend[] = [
  {
    // B1. Its location hint is `weur`: another continent than the primary region's (S1).
    name: "r2",
    role: "primary",
    kind: "r2",
    provider: "cloudflare",
    bucket: "blackroad-backups",
    region: "auto",
    continent: "europe",
    immutableFor: timeToNotice,
    shortLived: { bucket: "blackroad-backups", immutableFor: retention.incremental },
    versioned: false,
    quota: gib(20_480),
    retrieval: seconds(0),
  },
  {
    // B2. Written at the source: R2 replicates nowhere, and behind CRR the WAL would miss the RPO (facts F4, F5).
    name: "s3",
    role: "secondary",
    kind: "s3",
    provider: "aws",
    bucket: "blackroad-backups-dr",
    region: regions.secondary,
    continent: "north-america",
    immutableFor: timeToNotice,
    shortLived: { bucket: "blackroad-backups-dr-short", immutableFor: retention.incremental },
    versioned: true,
    quota: gib(20_480),
    retrieval: seconds(0),
  },
  {
    // B3. Bulk retrieval takes up to 12 h (facts F2): for the year of retention, never what a tier's RTO rests on.
    // AWS bills an archive for 90 days whatever happens, so a lock of that length costs nothing.
    name: "archive",
    role: "archive",
    kind: "glacier-vault",
    provider: "aws",
    bucket: "blackroad-archive",
    region: regions.third,
    continent: "europe",
    immutableFor: days(90),
    versioned: false,
    quota: gib(204_800),
    retrieval: hours(12),
  },
];

/** Cloudflare's load balancer; the least interval depends on the account's plan (facts F16). */
const dns: DnsFailover = { interval: seconds(60), timeout: seconds(5), retries: 2, consecutiveDown: 1, ttl: seconds(30) };

const tiers: Readonly<Record<"hot" | "warm" | "cold", TierTimes>> = {
  hot: {
    rto: tierRto.hot,
    means: "active-passive replication into servers that run; the store's own failover decides; DNS follows the database",
    detect: seconds(0), // the store's own: Patroni's lease, Sentinel's silence
    decide: seconds(0),
    provision: seconds(0),
    switchOver: dnsSwitchOver(dns),
  },
  warm: {
    rto: tierRto.warm,
    means: "hourly snapshots and shipped WAL, restored into a region that is deployed from code; a person says go",
    detect: minutes(2),
    decide: minutes(5),
    provision: minutes(7),
    switchOver: dnsSwitchOver(dns),
  },
  cold: {
    rto: tierRto.cold,
    means: "infrastructure from nothing, then the full restore of a daily backup",
    detect: minutes(5),
    decide: minutes(30),
    provision: hours(2),
    switchOver: minutes(10),
  },
};

const archiveTimeout = seconds(60);
/** Facts F8: 17 s measured at ioTimeout 2; at most 3 min old with archiveTimeout. */
const pushBoundDegraded = seconds(120);

const alerts: readonly Alert[] = [
  { name: "BackupFailed", kind: "failures", window: hours(1), above: 0, for: minutes(5), severity: "critical", keeps: "N8" },
  { name: "BackupOverdue", kind: "overdue", above: seconds(7_200), for: minutes(5), severity: "warning", keeps: "N9" },
  { name: "RecoveryPointStale", kind: "recovery-point-age", above: seconds(900), for: minutes(5), severity: "warning", keeps: "N10" },
  // N10 can only fire after the objective is broken; this one leaves time to act.
  { name: "RecoveryPointAging", kind: "recovery-point-age", above: seconds(systemRpo / 2), for: minutes(5), severity: "warning", keeps: "O1" },
  { name: "BackupStorageLow", kind: "storage-available", below: gib(10), for: minutes(10), severity: "warning", keeps: "N11" },
  // The archiver's own bound beside a dead repository: later than that is no repository's fault (facts F8).
  { name: "WalArchiveLate", kind: "wal-age", above: addDurations(archiveTimeout, pushBoundDegraded), for: minutes(2), severity: "warning", keeps: "S2" },
  { name: "ReplicationLagHigh", kind: "replication-lag", above: replicationLag, for: minutes(1), severity: "warning", keeps: "S2" },
  { name: "SynchronousStandbyMissing", kind: "synchronous-standby-missing", for: minutes(2), severity: "critical", keeps: "D1" },
  // Of each store by itself, so that nothing hides behind a store that is promised less. At half of the hour, logs and
  // metrics that a run of theirs takes to its deadline would be called late; at three quarters somebody can still act.
  { name: "StoreRecoveryPointAging", kind: "store-recovery-point-age", share: 0.75, for: minutes(2), severity: "warning", keeps: "O1" },
  { name: "VerificationFailed", kind: "verification-failed", for: minutes(5), severity: "critical", keeps: "V1" },
  // Weekly, and a day to look at one that failed.
  { name: "DrillOverdue", kind: "drill-overdue", above: days(8), for: hours(1), severity: "warning", keeps: "V2" },
  // Time to make the next token, let both be valid and move over, over a holiday too.
  { name: "R2TokenExpiring", kind: "token-expiry", below: days(14), for: hours(1), severity: "warning", keeps: "B1" },
  { name: "BackupExporterDown", kind: "exporter-down", for: minutes(5), severity: "critical", keeps: "N1" },
  { name: "BackupMetricsStale", kind: "metrics-stale", above: minutes(10), for: minutes(5), severity: "critical", keeps: "N1" },
];

/** The plan of BlackRoad OS: what is protected and promised. Sources of the figures: the requirements' rows. */
export const blackroad: Plan = definePlan({
  name: "blackroad",
  agents: 30_000,
  system: { rpo: systemRpo, rto: hours(1), retention: retention.full, regions: 3, replicationLag }, // O1 O2 O4 O5 S2
  categories: { critical: { rpo: seconds(0) }, important: { rpo: minutes(15) }, operational: { rpo: hours(1) } }, // D1-D8
  tiers,
  regions: places,
  backends,
  stores,
  schedules,
  recovery: { window: recoveryWindow, walRetention: days(7), checkpointRetention: hours(24), timeToNotice }, // R5
  alerts,
  dns,
  keys: ["backups", "vault-seal"],
  checkpointSize: kib(24),
  postgres: {
    version: 15,
    archiveTimeout, // M1
    pushBound: seconds(15),
    pushBoundDegraded,
    ioTimeout: seconds(2),
    walSegment: mib(16),
    walPerDay: gib(40),
    maximumLagOnFailover: mib(16),
    slotWalLimit: gib(64),
    leaderLease: seconds(20),
    loopWait: seconds(5),
    retryTimeout: seconds(5),
    promotion: seconds(10),
  },
  redis: {
    appendFsync: "everysec", // M2
    replicaLagBound: seconds(0), // a survivor that waits for a replica would refuse writes after a region's loss
    downAfter: seconds(5),
    failoverTimeout: seconds(10),
  },
  rates: {
    source: "assumed: facts F15 of 2026-11-22 for files, WAL fetch and replay; the rest until a drill has measured it",
    restore: bytesPerSecond(500e6),
    walFetch: bytesPerSecond(24e6),
    walReplay: mibPerSecond(38),
    redisLoad: mibPerSecond(100),
    download: mibPerSecond(80),
    upload: mibPerSecond(80),
    validate: mibPerSecond(400),
    startUp: seconds(10),
    promote: seconds(10),
  },
  accepted,
  intervalScale: 1,
});

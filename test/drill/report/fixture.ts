import type { DrillReport, DrillRun, Evidence, ObjectiveRow, Step } from "../../../drill/report/model.ts";

/** A default drill as one comes back in the morning: region-loss, hot and then warm. Intervals divided by 10. */
const hotSteps: Step[] = [
  { name: "provision three regions", at: 0, seconds: 11.4, phase: "provision", detail: "etcd ×3, PostgreSQL ×3, Redis ×2, S3 ×2" },
  { name: "seed 30,000 agents", at: 11.4, seconds: 9.8, phase: "seed", detail: "30,000 agents, 212 MiB" },
  { name: "full backup into r2", at: 21.2, seconds: 6.1, phase: "protect" },
  { name: "full backup into s3", at: 27.3, seconds: 6.4, phase: "protect" },
  { name: "Redis snapshot", at: 33.7, seconds: 1.3, phase: "protect", detail: "41 MiB to r2 and s3" },
  { name: "agents checkpoint", at: 35, seconds: 2.9, phase: "protect", detail: "30,000 agents in 30 blocks" },
  { name: "kill every server of us-east-1", at: 44.2, seconds: 0.2, phase: "disaster" },
  { name: "lease of the lost leader expires", at: 44.4, seconds: 5.1, phase: "detect" },
  { name: "us-west-2 promotes", at: 49.5, seconds: 2.2, phase: "recover" },
  { name: "validate every agent", at: 51.7, seconds: 3.4, phase: "validate", detail: "30,000 agents" },
];

const warmSteps: Step[] = [
  { name: "kill every server of us-west-2", at: 0, seconds: 0.2, phase: "disaster" },
  { name: "decide: recover from the object stores", at: 0.2, seconds: 0.1, phase: "detect" },
  { name: "restore PostgreSQL from r2", at: 0.3, seconds: 8.9, phase: "recover", detail: "212 MiB" },
  { name: "replay WAL to its end", at: 9.2, seconds: 2.6, phase: "recover", detail: "48 MiB" },
  { name: "restore Redis from r2", at: 9.2, seconds: 1.8, phase: "recover", detail: "41 MiB" },
  { name: "validate every agent", at: 11.8, seconds: 3.6, phase: "validate", detail: "30,000 agents" },
  { name: "destroy everything", at: 15.4, seconds: 1.9, phase: "destroy" },
];

const noRedisLossOfZero = { upTo: 31, reason: "Redis replicates asynchronously; only history outlives a region (facts F7)" };

const hotObjectives: ObjectiveRow[] = [
  {
    store: "postgres", scope: "region",
    rpo: { objective: 90, predicted: 1, measured: 0.04, basis: "asynchronous replica in us-west-2: lag bound 1 s" },
    rto: { objective: 300, predicted: 13.5, measured: 10.9, basis: "lease 5 s + promotion 3 s + validation 5.5 s" },
  },
  {
    store: "redis", scope: "region",
    rpo: { objective: 0, predicted: 31, measured: 22.6, accepted: noRedisLossOfZero, basis: "snapshot every 30 s + 1 s" },
    rto: { objective: 300, predicted: 11, measured: 9.1 },
  },
];

const warmObjectives: ObjectiveRow[] = [
  {
    store: "postgres", scope: "region",
    rpo: { objective: 90, predicted: 8, measured: 3.7, basis: "WAL in r2: archive_timeout 6 s + push 2 s" },
    rto: { objective: 1_800, predicted: 19.2, measured: 15.4, basis: "start 1 s + 212 MiB restored + 48 MiB replayed + validation" },
  },
  {
    store: "redis", scope: "region",
    rpo: { objective: 0, predicted: 31, measured: 22.6, accepted: noRedisLossOfZero },
    rto: { objective: 1_800, predicted: 8, measured: 5.4 },
  },
  {
    store: "vault", scope: "region",
    rpo: { objective: 90, predicted: 31, measured: null },
    rto: { objective: 1_800, predicted: 40, measured: null },
  },
];

const evidence: Evidence[] = [
  { what: "agents validated row by row", value: "30,000 of 30,000", ok: true },
  { what: "write with the reader's credentials", value: "refused: 403 AccessDenied by r2 and s3", ok: true },
  { what: "production from the recovery's network namespace", value: "unreachable: 6 of 6 addresses", ok: true },
  { what: "sha256 of the acknowledgements' ledger", value: "9f2b5c0d7be1a4c86f3d20b1857c9be04a6d1f53c2e7a90b8d4f61e35a7c0b92", ok: true },
  { what: "watermark lies between the checkpoint and the last acknowledgement", value: "0/5A0001F8 ≤ 0/5C31D2A0 ≤ 0/5C33E018", ok: true },
];

export const hotRun: DrillRun = {
  scenario: "region-loss",
  tier: "hot",
  faults: ["SIGKILL of every server of us-east-1", "disks of us-east-1 deleted"],
  passed: true,
  rtoSeconds: 10.9,
  stores: [
    { store: "postgres", rpoSeconds: 0.04, rtoSeconds: 10.9, recoveredTo: "2026-11-22T20:31:04.113Z 0/5C31D2A0", acknowledgedLost: 1, recoveredFrom: "asynchronous replica in us-west-2" },
    { store: "redis", rpoSeconds: 22.6, rtoSeconds: 9.1, recoveredTo: "2026-11-22T20:30:41.400Z", acknowledgedLost: 412, recoveredFrom: "s3://blackroad-backups-dr/redis/20261122T203041400Z-redis-snapshot-4f2a/dump.rdb.pgp" },
  ],
  objectives: hotObjectives,
  steps: hotSteps,
  agents: { expected: 30_000, recovered: 30_000 },
  startedAt: "2026-11-22T20:30:20.000Z",
  faultLog: [
    { at: 44.2, what: "SIGKILL of every server of us-east-1" },
    { at: 44.4, what: "disks of us-east-1 deleted" },
  ],
  disasterAt: 44.2,
  detectSeconds: 5.1,
  decideSeconds: 0,
  predictions: { source: "measured on this machine by verification 20261122T190000000Z-postgres-verification-77aa" },
  evidence,
  integrity: [],
  replicationLag: { samples: 1_204, maxSeconds: 0.31, p99Seconds: 0.08, outsideFaultMaxSeconds: 0.12, outsideFaultProvenSeconds: 0.11 },
  error: null,
};

export const warmRun: DrillRun = {
  ...hotRun,
  tier: "warm",
  faults: ["SIGKILL of every server of us-west-2", "disks of us-west-2 deleted"],
  rtoSeconds: 15.4,
  stores: [
    { store: "postgres", rpoSeconds: 3.7, rtoSeconds: 15.4, recoveredTo: "2026-11-22T20:31:12.700Z 0/5E000000", acknowledgedLost: 71, recoveredFrom: "pgbackrest://r2/main/20261122-203041F" },
    { store: "redis", rpoSeconds: 22.6, rtoSeconds: 5.4, recoveredTo: "2026-11-22T20:30:41.400Z", acknowledgedLost: 412 },
  ],
  objectives: warmObjectives,
  steps: warmSteps,
  startedAt: "2026-11-22T20:31:16.400Z",
  faultLog: [{ at: 0, what: "SIGKILL of every server of us-west-2" }, { at: 0.2, what: "disks of us-west-2 deleted" }],
  disasterAt: 0,
  detectSeconds: 0.1,
  decideSeconds: null,
  replicationLag: null,
};

export const goodReport: DrillReport = {
  passed: true,
  environment: "local",
  scale: {
    intervals: 10,
    agents: 30_000,
    databaseBytes: 222_298_112,
    explanation: "Every interval of the shipped plan was divided by 10: archive_timeout 60 s became 6 s, the Redis snapshot's 5 min became 30 s. Sizes and rates were not scaled. Objectives of loss were divided alike; objectives of recovery time were not.",
  },
  leftovers: 0,
  skipped: [{ what: "store vault", why: "no bao or vault program on this machine" }, { what: "store vectors", why: "no qdrant program on this machine" }],
  runs: [hotRun, warmRun],
  name: "dr-drill-20261122",
  startedAt: "2026-11-22T20:30:20.000Z",
  finishedAt: "2026-11-22T20:31:33.700Z",
  tools: { PostgreSQL: "15.14", pgBackRest: "2.45", Patroni: "3.0.2", etcd: "3.4.23", Redis: "7.0.15", versitygw: "1.0.14", "blackroad-dr": "0.1.0", node: "24.21.0" },
  leftoverNames: [],
};

/** The same drill when it went wrong: too slow, agents missing, something left behind. */
export const badReport: DrillReport = {
  ...goodReport,
  passed: false,
  leftovers: 2,
  leftoverNames: ["process 4711 redis-server", "/tmp/dr-drill-20261122"],
  runs: [
    hotRun,
    {
      ...warmRun,
      passed: false,
      error: "restore PostgreSQL from r2: pgbackrest ended with 29: unable to read 4 byte(s) from s3 object archive/main/15-1/00000001000000000000005A",
      agents: { expected: 30_000, recovered: 29_871 },
      objectives: [
        {
          store: "postgres", scope: "region",
          rpo: { objective: 90, predicted: 8, measured: 121.5 },
          rto: { objective: 1_800, predicted: 190, measured: 15.4 },
        },
      ],
      steps: warmSteps.map((step) => (step.name.startsWith("replay") ? { ...step, error: "recovery ended before the target was reached" } : step)),
      evidence: [...evidence.slice(1), { what: "agents validated row by row", value: "29,871 of 30,000", ok: false }],
      integrity: [{ what: "129 rows differ from what was acknowledged", where: "postgres, table agents, ids 12,004 to 12,132" }],
    },
  ],
};

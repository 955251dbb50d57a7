import type { BackendName, Copy, ScheduleName, Store } from "../types.ts";
import { gib, mib, minutes, seconds } from "../units.ts";
import { regions, replicationLag } from "./figures.ts";

/** S3 Replication Time Control has one value (facts F4). S3's bucket in us-west-2 is copied to eu-west-1 (B2). */
const replicationTimeControl = minutes(15);
const elsewhere = (inPlace: boolean): Copy => ({
  kind: "replicated-bucket",
  name: "s3-replicated",
  of: "s3",
  region: regions.third,
  continent: "europe",
  provider: "aws",
  bound: replicationTimeControl,
  ...(inPlace ? { inPlace: true } : {}),
});

const original = (name: string): Copy => ({ kind: "original", name, region: regions.primary, medium: "ssd" });
const backup = (backend: BackendName, schedule: ScheduleName): Copy => ({ kind: "backup", name: `${backend}-${schedule}`, backend, schedule });
/** Every backup is written to every backend that the plan names (B4). */
const backups = (schedule: ScheduleName): readonly Copy[] => [backup("r2", schedule), backup("s3", schedule)];
const archived = backup("archive", "archive");
const wal = (backend: BackendName): Copy => ({ kind: "log-archive", name: `${backend}-wal`, backend, schedule: "postgres-incremental" });

/** What is protected (D1 to D8). Sizes are for 30,000 agents, assumed until they are measured. */
export const stores: readonly Store[] = [
  {
    name: "postgres",
    category: "critical",
    holds: "agent state, task history, user data, episodic memory",
    method: "streaming replication + WAL",
    expectedSize: gib(100),
    dailyChange: gib(8),
    compression: 0.4,
    copies: [
      original("leader"),
      { kind: "replica", name: "synchronous-replica", region: regions.primary, medium: "ssd", mode: "synchronous", lagBound: seconds(0) },
      { kind: "replica", name: "asynchronous-replica", region: regions.secondary, medium: "ssd", mode: "asynchronous", lagBound: replicationLag },
      wal("r2"),
      wal("s3"),
      ...backups("postgres-incremental"),
      ...backups("postgres-diff"),
      ...backups("postgres-full"),
      elsewhere(false),
      archived,
    ],
  },
  {
    name: "redis",
    category: "critical",
    holds: "working memory, sessions, real-time state",
    method: "RDB + AOF, replicas",
    expectedSize: gib(2), // 64 KiB an agent
    dailyChange: gib(2),
    compression: 0.7,
    copies: [
      original("primary"),
      { kind: "replica", name: "near-replica", region: regions.primary, medium: "ssd", mode: "asynchronous", lagBound: replicationLag },
      { kind: "replica", name: "far-replica", region: regions.secondary, medium: "ssd", mode: "asynchronous", lagBound: replicationLag },
      ...backups("redis-snapshot"),
      elsewhere(false),
      archived,
    ],
  },
  {
    name: "vault",
    category: "critical",
    holds: "API keys, encryption keys, certificates",
    method: "raft over three servers + encrypted raft snapshot",
    expectedSize: mib(64),
    dailyChange: mib(4),
    compression: 1, // encrypted at rest: nothing left to compress
    copies: [
      original("raft-leader"),
      // A write is acknowledged by a majority, so each election's winner has it; the election takes seconds.
      { kind: "replica", name: "raft-followers", region: regions.primary, medium: "ssd", mode: "synchronous", lagBound: seconds(0), takeover: seconds(15) },
      ...backups("vault-snapshot"),
      elsewhere(false),
      archived,
    ],
  },
  {
    name: "vectors",
    category: "important",
    holds: "semantic memory, embeddings",
    method: "snapshot of every node + export of aliases",
    expectedSize: gib(6),
    dailyChange: gib(1),
    compression: 0.8,
    copies: [original("qdrant"), ...backups("vectors-snapshot"), elsewhere(false), archived],
  },
  {
    name: "objects",
    category: "important",
    holds: "archival memory, uploads, model weights",
    method: "copied by a job, then cross-region replication",
    expectedSize: gib(512),
    dailyChange: gib(10),
    compression: 1,
    copies: [
      { kind: "hosted", name: "r2-objects", provider: "cloudflare", region: "auto", continent: "europe", medium: "object-storage" },
      inPlace(backup("s3", "objects-sync")),
      elsewhere(true),
      archived,
    ],
  },
  {
    name: "logs",
    category: "operational",
    holds: "application logs",
    method: "shipped to S3 and R2",
    expectedSize: gib(20),
    dailyChange: gib(10),
    compression: 0.1,
    copies: [original("nodes"), ...backups("logs-ship").map(inPlace), elsewhere(true)], // 30 days: not archived for a year
  },
  {
    name: "metrics",
    category: "operational",
    holds: "Prometheus",
    method: "snapshot",
    expectedSize: gib(20),
    dailyChange: gib(1),
    compression: 1, // its blocks are compressed already
    copies: [original("prometheus"), ...backups("metrics-snapshot"), elsewhere(false)], // 90 days, likewise
  },
  {
    name: "configuration",
    category: "operational",
    holds: "configuration",
    method: "git + snapshot",
    expectedSize: mib(50),
    dailyChange: mib(1),
    compression: 0.3,
    copies: [
      { kind: "hosted", name: "git", provider: "github", region: "github.com", continent: "north-america", medium: "ssd" },
      ...backups("config-snapshot"),
      elsewhere(false),
      archived,
    ],
  },
];

/** Objects are served, and logs read, where the copy lies. */
function inPlace(copy: Copy): Copy {
  return copy.kind === "backup" ? { ...copy, inPlace: true } : copy;
}

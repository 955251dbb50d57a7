/** What a plan says. Figures are in base units (see units.ts): seconds, bytes, bytes per second. */
import type { Duration, Rate, Size } from "./units.ts";

/** What is lost at once. */
export type FailureScope =
  /** One server or its disk. */
  | "process"
  /** Every server of one region. */
  | "region"
  /** One provider as a whole: all of Cloudflare, or all of AWS. */
  | "provider"
  /** An operator's error or a bug: every live copy has it within a second, only history helps. */
  | "logical"
  /** Stolen writer credentials: what they can delete is gone. */
  | "attacker";
export const failureScopes: readonly FailureScope[] = ["process", "region", "provider", "logical", "attacker"];

export type Tier = "hot" | "warm" | "cold";
export const tiers: readonly Tier[] = ["hot", "warm", "cold"];

export type StoreName = "postgres" | "redis" | "vault" | "vectors" | "objects" | "logs" | "metrics" | "configuration";
export const storeNames: readonly StoreName[] = ["postgres", "redis", "vault", "vectors", "objects", "logs", "metrics", "configuration"];
export type BackendName = "r2" | "s3" | "archive";
/** `github` hosts the configuration's git repository and nothing else. */
export type Provider = "cloudflare" | "aws" | "github";
export type Continent = "north-america" | "europe";
export type Medium = "ssd" | "object-storage" | "archive-storage";

export interface Region {
  /** The cloud's own name, e.g. `us-east-1`. */
  readonly name: string;
  readonly role: "primary" | "secondary" | "witness";
  readonly continent: Continent;
  readonly provider: Provider;
}

/** A place that backups are written to. */
export interface Backend {
  readonly name: BackendName;
  readonly role: "primary" | "secondary" | "archive";
  readonly kind: "r2" | "s3" | "glacier-vault" | "s3-glacier";
  readonly provider: Provider;
  readonly bucket: string;
  /** `auto` for R2, whose location is a hint. */
  readonly region: string;
  readonly continent: Continent;
  /** How long nobody who holds the writer's credentials can delete or overwrite what was written. */
  readonly immutableFor: Duration;
  /** Where what is kept for less than `immutableFor` goes, so that the lock does not outlive it: a bucket of its own
   * where a lock is a bucket's (S3), a prefix where locks are by prefix (R2). */
  readonly shortLived?: { readonly bucket: string; readonly immutableFor: Duration };
  /** Whether an overwrite or a deletion leaves the older version behind. Where it does not, files that a tool
   * rewrites cannot be locked (pgBackRest's backups on R2; facts F3). */
  readonly versioned: boolean;
  /** Bytes that the operator pays for or allows; free space is this less what is used (alert N11). */
  readonly quota: Size;
  /** From asking for an object to its first byte. Zero but for archives. */
  readonly retrieval: Duration;
}

export type Category = "critical" | "important" | "operational";

export interface Objective {
  /** Most data lost, as time. */
  readonly rpo: Duration;
  /** Most time until the store serves again. */
  readonly rto: Duration;
}

/** A copy of a store's data, and how far behind the original it can be. */
export type Copy =
  | { readonly kind: "original"; readonly name: string; readonly region: string; readonly medium: Medium }
  /** The original where a provider runs it itself, outside the plan's regions: a bucket, a git host. */
  | { readonly kind: "hosted"; readonly name: string; readonly provider: Provider; readonly region: string; readonly continent: Continent; readonly medium: Medium }
  /** `takeover`: how long the store's own mechanism takes to make it the original; PostgreSQL's and Redis's follow
   * from their settings, any other store's is stated here. */
  | { readonly kind: "replica"; readonly name: string; readonly region: string; readonly medium: Medium; readonly mode: "synchronous" | "asynchronous"; readonly lagBound: Duration; readonly takeover?: Duration }
  /** The write-ahead log, pushed to a backend as it grows: stale by at most `archive_timeout` plus the push. It is
   * replayed on the newest backup that `schedule` made. */
  | { readonly kind: "log-archive"; readonly name: string; readonly backend: BackendName; readonly schedule: ScheduleName }
  /** What a scheduled job writes to a backend: stale by at most its interval plus its duration. `inPlace`: clients can
   * be pointed at it as it is, nothing is fetched. */
  | { readonly kind: "backup"; readonly name: string; readonly backend: BackendName; readonly schedule: ScheduleName; readonly inPlace?: true }
  /** A bucket that its provider copies elsewhere: stale by the source's staleness plus the replication's bound. */
  | { readonly kind: "replicated-bucket"; readonly name: string; readonly of: BackendName; readonly region: string; readonly continent: Continent; readonly provider: Provider; readonly bound: Duration; readonly inPlace?: true };

export interface Store {
  readonly name: StoreName;
  readonly category: Category;
  readonly holds: string;
  /** How its copies are made, in a few words. */
  readonly method: string;
  readonly expectedSize: Size;
  /** How much of it changes in a day. */
  readonly dailyChange: Size;
  /** What is left of a byte in a backup, above 0 and at most 1. */
  readonly compression: number;
  readonly copies: readonly Copy[];
}

export type ScheduleName =
  | "postgres-incremental"
  | "postgres-diff"
  | "postgres-full"
  | "redis-snapshot"
  | "vault-snapshot"
  | "vectors-snapshot"
  | "objects-sync"
  | "agents-checkpoint"
  | "metrics-snapshot"
  | "config-snapshot"
  | "logs-ship"
  | "archive"
  | "verify";

/** How much of a store one run writes. */
export type RunContent =
  | "everything"
  /** What changed since the newest run of the schedule that is named by `since`. */
  | "changes"
  /** The copy is kept equal to the original; older versions stay for the retention. */
  | "mirror"
  | "nothing";

export interface Schedule {
  readonly name: ScheduleName;
  /** Five fields, UTC. */
  readonly cron: string;
  /** In a scaled plan, where cron's minute is too coarse: run every so often, and `cron` is not looked at. */
  readonly interval?: Duration;
  readonly writes: RunContent;
  /** What `changes` counts from; absent: this schedule's own last run. */
  readonly since?: ScheduleName;
  /** Whose format it is: pgBackRest rewrites some of its files, `dr` writes everything once. */
  readonly tool: "pgbackrest" | "dr";
  /** The arguments of `dr` that do it. */
  readonly command: readonly string[];
  /** How long what it makes is kept. */
  readonly retention: Duration | "forever";
  /** Of what it makes, one per `every` is kept for longer. */
  readonly keepLonger?: readonly { readonly every: Duration; readonly retention: Duration }[];
  /** The longest a run may take; it is killed then. */
  readonly deadline: Duration;
  /** Which of the requirements' rows it keeps, e.g. `S3`. */
  readonly keeps: string;
}

/** What was measured, or assumed until it is: the ground of every predicted recovery time. */
export interface Rates {
  /** Where the figures come from: an assumption with its source, or the run that measured them. */
  readonly source: string;
  /** Base backup files written by a restore from a backend. */
  readonly restore: Rate;
  /** WAL fetched from a backend. */
  readonly walFetch: Rate;
  /** WAL replayed. */
  readonly walReplay: Rate;
  /** An RDB loaded into Redis. */
  readonly redisLoad: Rate;
  /** A single object downloaded and decrypted. */
  readonly download: Rate;
  /** A store's data read, encrypted and written to every backend by a job, or written back into a store. */
  readonly upload: Rate;
  /** Database content checked row by row. */
  readonly validate: Rate;
  /** Starting a process of recovery and opening its backends, before the first byte. */
  readonly startUp: Duration;
  /** From a restored server's start to the end of recovery, less fetch and replay. */
  readonly promote: Duration;
  /** Measured, from a closed WAL segment to its arrival in every repository; absent: the plan's bound holds. */
  readonly push?: Duration;
  /** Measured, the longest run of a job; absent: its deadline, at which it is killed. */
  readonly runs?: Partial<Record<ScheduleName, Duration>>;
}

/** What passes before and after the data is back, per tier. Zero where nobody has to act. */
export interface TierTimes {
  readonly rto: Duration;
  readonly means: string;
  /** Until the failure is known. */
  readonly detect: Duration;
  /** Until somebody has decided; zero where it is automatic. */
  readonly decide: Duration;
  /** Until servers are there to restore into. */
  readonly provision: Duration;
  /** Until clients reach the recovered service. */
  readonly switchOver: Duration;
}

/** An objective that physics or a vendor does not let the plan keep, named and bounded. */
export interface Acceptance {
  readonly store: StoreName;
  readonly scope: FailureScope;
  readonly what: "rpo" | "rto";
  /** What is accepted instead, at the most. */
  readonly upTo: Duration;
  readonly reason: string;
}

/** What somebody must be told, and when. Thresholds are in base units. */
export type Alert = {
  readonly name: string;
  /** How long the condition holds before it fires. */
  readonly for: Duration;
  readonly severity: "critical" | "warning";
  /** Which of the requirements' rows it keeps. */
  readonly keeps: string;
} & (
  | { readonly kind: "failures"; readonly window: Duration; readonly above: number }
  /** No backup of a type for so long. A type that runs less often than this has a threshold from its own schedule. */
  | { readonly kind: "overdue"; readonly above: Duration }
  | { readonly kind: "recovery-point-age"; readonly above: Duration }
  /** Of each store, after this share of what it is promised to lose at the most. */
  | { readonly kind: "store-recovery-point-age"; readonly share: number }
  | { readonly kind: "storage-available"; readonly below: Size }
  /** The newest WAL segment as it stands in a backend's bucket: an archiver that lies is seen by it. */
  | { readonly kind: "wal-age"; readonly above: Duration }
  /** Of a replica, measured at the leader. */
  | { readonly kind: "replication-lag"; readonly above: Duration }
  /** The leader has no synchronous standby: an RPO of 0 is not kept for as long. */
  | { readonly kind: "synchronous-standby-missing" }
  /** The newest verification of a store found something wrong. */
  | { readonly kind: "verification-failed" }
  /** No drill has passed for so long. */
  | { readonly kind: "drill-overdue"; readonly above: Duration }
  /** A token that the backups need expires so soon. */
  | { readonly kind: "token-expiry"; readonly below: Duration }
  /** Nothing says how the backups are: no other alert here can fire. */
  | { readonly kind: "exporter-down" }
  /** The exporter answers, but has not been able to read the backends for so long. */
  | { readonly kind: "metrics-stale"; readonly above: Duration }
);

/** How clients are sent to another region (facts F16). */
export interface DnsFailover {
  /** Between two checks of a pool's health endpoint. */
  readonly interval: Duration;
  readonly timeout: Duration;
  /** Retried at once after a timeout, so often. */
  readonly retries: number;
  /** Consecutive failed checks that are asked for. */
  readonly consecutiveDown: number;
  /** How long resolvers keep the old answer. */
  readonly ttl: Duration;
}

export interface PostgresSettings {
  /** The least major version. */
  readonly version: number;
  /** `archive_timeout`: a segment is closed at the latest then. */
  readonly archiveTimeout: Duration;
  /** From a closed segment to its arrival in every live repository. */
  readonly pushBound: Duration;
  /** The same where another repository refuses connections (measured; see facts F8). */
  readonly pushBoundDegraded: Duration;
  /** pgBackRest's `io-timeout`, short so that a dead repository does not hold up the healthy one. */
  readonly ioTimeout: Duration;
  readonly walSegment: Size;
  readonly walPerDay: Size;
  /** An asynchronous replica further behind is not promoted without a person. */
  readonly maximumLagOnFailover: Size;
  /** WAL that a slot may hold back before it is given up. */
  readonly slotWalLimit: Size;
  /** Patroni's lease: how long a dead leader is waited for. */
  readonly leaderLease: Duration;
  readonly loopWait: Duration;
  readonly retryTimeout: Duration;
  /** From the lease's end to a promoted replica that takes writes. */
  readonly promotion: Duration;
}

export interface RedisSettings {
  readonly appendFsync: "everysec" | "always";
  /** A replica's link must be at most this old for the primary to take writes; zero: it does not care. */
  readonly replicaLagBound: Duration;
  /** Sentinel: silence until a server is held to be down. */
  readonly downAfter: Duration;
  /** Sentinel: from agreement to a promoted replica. */
  readonly failoverTimeout: Duration;
}

export interface Plan {
  readonly name: string;
  readonly agents: number;
  readonly system: Objective & { readonly retention: Duration; readonly regions: number; readonly replicationLag: Duration };
  readonly categories: Readonly<Record<Category, { readonly rpo: Duration }>>;
  readonly tiers: Readonly<Record<Tier, TierTimes>>;
  readonly regions: readonly Region[];
  readonly backends: readonly Backend[];
  readonly stores: readonly Store[];
  readonly schedules: readonly Schedule[];
  readonly recovery: {
    /** How far back a point in time can be recovered. */
    readonly window: Duration;
    readonly walRetention: Duration;
    readonly checkpointRetention: Duration;
    /** How long an attack or an error may go unseen and still be undone. */
    readonly timeToNotice: Duration;
  };
  readonly alerts: readonly Alert[];
  readonly dns: DnsFailover;
  /** Customer-managed keys, each with a replica in every region. */
  readonly keys: readonly string[];
  /** What one agent's checkpoint takes in a backend. */
  readonly checkpointSize: Size;
  readonly postgres: PostgresSettings;
  readonly redis: RedisSettings;
  readonly rates: Rates;
  readonly accepted: readonly Acceptance[];
  /** What intervals were divided by for a drill; 1 for the plan as shipped. */
  readonly intervalScale: number;
}

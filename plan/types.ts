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
export type BackendName = "r2" | "s3" | "archive";
export type Provider = "cloudflare" | "aws";
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
  | { readonly kind: "replica"; readonly name: string; readonly region: string; readonly medium: Medium; readonly mode: "synchronous" | "asynchronous"; readonly lagBound: Duration }
  /** The write-ahead log, pushed to a backend as it grows: stale by at most `archive_timeout` plus the push. */
  | { readonly kind: "log-archive"; readonly name: string; readonly backend: BackendName; readonly schedule: ScheduleName }
  /** What a scheduled job writes to a backend: stale by at most its interval plus its duration. */
  | { readonly kind: "backup"; readonly name: string; readonly backend: BackendName; readonly schedule: ScheduleName }
  /** A bucket that its provider copies elsewhere: stale by the source's staleness plus the replication's bound. */
  | { readonly kind: "replicated-bucket"; readonly name: string; readonly of: BackendName; readonly region: string; readonly continent: Continent; readonly provider: Provider; readonly bound: Duration };

export interface Store {
  readonly name: StoreName;
  readonly category: Category;
  readonly holds: string;
  /** Whether this operator runs it; a store that is not run is not an error. */
  readonly expectedSize: Size;
  /** How much of it changes in a day. */
  readonly dailyChange: Size;
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

export interface Schedule {
  readonly name: ScheduleName;
  /** Five fields, UTC. */
  readonly cron: string;
  /** The arguments of `dr` that do it. */
  readonly command: readonly string[];
  /** How long what it makes is kept. */
  readonly retention: Duration | "forever";
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
  /** Database content checked row by row. */
  readonly validate: Rate;
  /** Starting a process of recovery and opening its backends, before the first byte. */
  readonly startUp: Duration;
  /** From a restored server's start to the end of recovery, less fetch and replay. */
  readonly promote: Duration;
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
  readonly postgres: PostgresSettings;
  readonly redis: RedisSettings;
  readonly rates: Rates;
  readonly accepted: readonly Acceptance[];
  /** What intervals were divided by for a drill; 1 for the plan as shipped. */
  readonly intervalScale: number;
}

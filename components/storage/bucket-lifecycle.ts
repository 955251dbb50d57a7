/**
 * What S3 does with objects by their age: pure. Expiry is a backstop behind the tools' own, and takes nothing that a
 * kept backup could need.
 */
import { catalogPrefix } from "../../plan/layout.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { days, formatDuration, type Duration } from "../../plan/units.ts";
import { bucketPrefixes, type BucketPrefix } from "./bucket-prefixes.ts";

/** A rule as S3 takes it. */
export interface LifecycleRule {
  readonly id: string;
  readonly status: "Enabled";
  readonly filter: { readonly prefix?: string };
  readonly transitions?: { readonly days: number; readonly storageClass: "STANDARD_IA" | "GLACIER" | "DEEP_ARCHIVE" }[];
  readonly expiration?: { readonly days: number } | { readonly expiredObjectDeleteMarker: true };
  readonly noncurrentVersionExpiration?: { readonly noncurrentDays: number };
  readonly abortIncompleteMultipartUpload?: { readonly daysAfterInitiation: number };
}

/** S3 moves nothing to Standard-IA before that age, and bills what is there for as long again. */
const infrequentAccess = days(30);
export const wholeDays = (duration: Duration): number => Math.ceil(duration / days(1));

export interface BackupLifecycleInput {
  readonly plan: Plan;
  readonly backend: Backend;
  readonly shortLived: boolean;
  /** Of a replica: when pgBackRest's files expire there; absent: never. */
  readonly expireRepositoryAfter?: Duration;
}

/** The lock of every object in a bucket of a backend. */
export const lockOfBucket = (backend: Backend, shortLived: boolean): Duration => (shortLived ? (backend.shortLived?.immutableFor ?? backend.immutableFor) : backend.immutableFor);

/**
 * Rules of a bucket of backups, by prefix. None of them has versions expire in the whole bucket: where two rules meet,
 * S3 follows the one that takes more away, and a mirror's history would go after a week.
 */
export function backupLifecycle(input: BackupLifecycleInput): readonly LifecycleRule[] {
  const lock = lockOfBucket(input.backend, input.shortLived);
  return [
    ...bucketPrefixes(input.plan, input.backend, input.shortLived).map((one): LifecycleRule => {
      const expiry = expiryOf(input.plan, one, input.expireRepositoryAfter);
      return {
        id: `age-${one.prefix.replace(/\/$/, "").replaceAll("/", "-")}`,
        status: "Enabled",
        filter: { prefix: one.prefix },
        ...(isWorthMoving(one) ? { transitions: [{ days: wholeDays(infrequentAccess), storageClass: "STANDARD_IA" as const }] } : {}),
        ...(expiry === undefined ? {} : { expiration: { days: wholeDays(expiry) } }),
        // Counted from the deletion or the overwrite: what is left to notice it, and as long as the lock.
        noncurrentVersionExpiration: { noncurrentDays: wholeDays(one.content === "mirror" && one.retention !== "forever" && one.retention > lock ? one.retention : lock) },
      };
    }),
    leftovers(input.plan),
  ];
}

/** At which age S3 itself deletes what `dr` should have; `undefined`: never. */
export function expiryOf(plan: Plan, { content, retention }: BucketPrefix, expireRepositoryAfter?: Duration): Duration | undefined {
  if (retention === "forever" || content === "mirror") return undefined;
  if (content === "repository") return expireRepositoryAfter;
  // Later than the tools' own expiry by the time to notice that something is wrong with them.
  return days(wholeDays(retention) * (content === "changes" ? 2 : 1) + wholeDays(plan.recovery.timeToNotice));
}

/** The catalog is read all the time and is small; what is deleted before 60 days would be billed in both classes. */
const isWorthMoving = ({ prefix, retention }: BucketPrefix): boolean => prefix !== catalogPrefix && (retention === "forever" || retention >= 2 * infrequentAccess);

/** No upload outlives the run that makes it, which is killed at its deadline; S3 counts days, from midnight. */
const leftovers = (plan: Plan): LifecycleRule => ({
  id: "leftovers",
  status: "Enabled",
  filter: {},
  expiration: { expiredObjectDeleteMarker: true },
  abortIncompleteMultipartUpload: { daysAfterInitiation: Math.max(1, ...plan.schedules.map(({ deadline }) => wholeDays(deadline))) },
});

/** Access logs are kept as long as what they are about. */
export const logLifecycle = (plan: Plan): readonly LifecycleRule[] => [
  { id: "age", status: "Enabled", filter: {}, expiration: { days: wholeDays(plan.system.retention) }, noncurrentVersionExpiration: { noncurrentDays: wholeDays(plan.recovery.timeToNotice) } },
  leftovers(plan),
];

/** The present state is never touched; older ones are what undoes a wrong `pulumi up`. */
export const stateLifecycle = (plan: Plan): readonly LifecycleRule[] => [
  { id: "age", status: "Enabled", filter: {}, noncurrentVersionExpiration: { noncurrentDays: wholeDays(plan.system.retention) } },
  leftovers(plan),
];

/** Each archive is whole; it goes to cold storage at once. S3 leaves what is under 128 KiB, the records, where it is. */
export const archiveLifecycle = (plan: Plan, retention: Duration, storageClass: "GLACIER" | "DEEP_ARCHIVE"): readonly LifecycleRule[] => [
  {
    id: "age",
    status: "Enabled",
    filter: {},
    transitions: [{ days: 0, storageClass }],
    expiration: { days: wholeDays(retention) + wholeDays(plan.recovery.timeToNotice) },
    noncurrentVersionExpiration: { noncurrentDays: wholeDays(plan.recovery.timeToNotice) },
  },
  leftovers(plan),
];

/** What is wrong with a lock and the ages of what it locks. */
export function lifecycleProblems(input: BackupLifecycleInput): readonly string[] {
  const { plan, backend, shortLived, expireRepositoryAfter } = input;
  const lock = lockOfBucket(backend, shortLived);
  return bucketPrefixes(plan, backend, shortLived).flatMap((one) => {
    const { prefix, retention, content } = one;
    const expiry = expiryOf(plan, one, expireRepositoryAfter);
    return [
      ...(expiry !== undefined && lock > expiry ? [`role: ${prefix} expires after ${formatDuration(expiry)} and is locked for ${formatDuration(lock)}: what should be gone would be kept and paid for`] : []),
      ...(content === "repository" && retention !== "forever" && retention < plan.recovery.window ? [`role: ${prefix} is kept for ${formatDuration(retention)}, less than the recovery window of ${formatDuration(plan.recovery.window)}`] : []),
      ...(content === "repository" && retention !== "forever" && expireRepositoryAfter !== undefined && expireRepositoryAfter < 2 * retention
        ? [`role.expireRepositoryAfter: ${formatDuration(expireRepositoryAfter)} is less than twice the ${formatDuration(retention)} that PostgreSQL's backups are kept: after a while without full backups it would take the one that everything newer needs`]
        : []),
    ];
  });
}

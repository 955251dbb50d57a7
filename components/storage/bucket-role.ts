/** What follows from a bucket's role: its name, place, lock, lifecycle and policy. Pure. */
import { backendOf } from "../../plan/find.ts";
import { accessLogBucket, bucketsOf, stateBucket } from "../../plan/names.ts";
import type { Backend, BackendName, Plan } from "../../plan/types.ts";
import type { Duration } from "../../plan/units.ts";
import type { PolicyDocument } from "../aws/policy-document.ts";
import { backupLifecycle, lockOfBucket, logLifecycle, stateLifecycle, wholeDays, type LifecycleRule } from "./bucket-lifecycle.ts";
import { bucketPolicy } from "./bucket-policy.ts";
import { replicationsOf } from "./replication-role.ts";

/** What a bucket is for; its settings follow from that. */
export type BucketRole =
  /** A backend of the plan. `shortLived`: the bucket for what is kept for less than the backend's lock, as Object
   * Lock's default is per bucket and would otherwise bill a day's data for a week. */
  | { readonly kind: "backup"; readonly backend: BackendName; readonly shortLived: boolean }
  /**
   * What S3 copies of a backend's bucket to another region. Nobody but S3 writes there, and deletions are not copied,
   * as a thief's would come along. `expireRepositoryAfter`: when pgBackRest's files expire there, at least twice what
   * they are kept; they may need each other, so without it they stay for ever, and the bucket grows by every backup.
   */
  | { readonly kind: "replica"; readonly of: BackendName; readonly expireRepositoryAfter?: Duration }
  /** S3's access logs of the region's buckets: no Object Lock and SSE-S3, as S3 delivers to no other. */
  | { readonly kind: "log" }
  /** Pulumi's state of every stack. */
  | { readonly kind: "state" };

/** Where a role's bucket must be, by the plan; `undefined` where the plan has none such. */
export interface ExpectedPlace {
  readonly bucket: string;
  /** `undefined`: any region of the plan. */
  readonly region: string | undefined;
}

export function expectedPlace(plan: Plan, role: BucketRole, region: string): ExpectedPlace | undefined {
  switch (role.kind) {
    case "backup": {
      const backend = backendOf(plan, role.backend);
      const bucket = role.shortLived ? backend?.shortLived?.bucket : backend?.bucket;
      return backend?.kind !== "s3" || bucket === undefined ? undefined : { bucket, region: backend.region };
    }
    case "replica":
      return replicationsOf(plan).find(({ backend }) => backend.name === role.of)?.destination;
    case "log":
      return { bucket: accessLogBucket(plan, region), region: undefined };
    case "state":
      return { bucket: stateBucket(plan), region: plan.regions.find((one) => one.role === "secondary")?.name };
  }
}

/** The backend whose data lies in a bucket of the role, and whether it is the short-lived part. */
export function backendOfRole(plan: Plan, role: BucketRole): { readonly backend: Backend; readonly shortLived: boolean } | undefined {
  if (role.kind !== "backup" && role.kind !== "replica") return undefined;
  const backend = backendOf(plan, role.kind === "backup" ? role.backend : role.of);
  return backend === undefined ? undefined : { backend, shortLived: role.kind === "backup" && role.shortLived };
}

/** Object Lock's default retention in days; `undefined` where the role has none. */
export function lockDays(plan: Plan, role: BucketRole): number | undefined {
  const held = backendOfRole(plan, role);
  return held === undefined ? undefined : wholeDays(lockOfBucket(held.backend, held.shortLived));
}

export function lifecycleOf(plan: Plan, role: BucketRole): readonly LifecycleRule[] {
  const held = backendOfRole(plan, role);
  if (held !== undefined) return backupLifecycle({ plan, ...held, ...(role.kind === "replica" && role.expireRepositoryAfter !== undefined ? { expireRepositoryAfter: role.expireRepositoryAfter } : {}) });
  return role.kind === "log" ? logLifecycle(plan) : stateLifecycle(plan);
}

export interface RolePolicyInput {
  readonly plan: Plan;
  readonly role: BucketRole;
  readonly bucket: string;
  readonly accountId: string;
  readonly keyArn: string | undefined;
  readonly breakGlass: readonly string[];
}

export function policyOfRole({ plan, role, bucket, accountId, keyArn, breakGlass }: RolePolicyInput): PolicyDocument {
  return bucketPolicy({
    bucket,
    accountId,
    breakGlass,
    ...(keyArn === undefined ? {} : { keyArn }),
    ...(lockDays(plan, role) === undefined ? {} : { longestLockDays: longestRetentionDays(plan) }),
    replicaOnly: role.kind === "replica",
    ...(role.kind === "log" ? { logsOf: loggedBuckets(plan) } : {}),
  });
}

/** Every bucket of the plan that S3 holds: each may log to its region's log bucket, and no other may. */
const loggedBuckets = (plan: Plan): readonly string[] => [
  ...plan.backends.filter(({ kind }) => kind === "s3" || kind === "s3-glacier").flatMap(bucketsOf),
  ...replicationsOf(plan).map(({ destination }) => destination.bucket),
  stateBucket(plan),
];

/** The longest that anything is kept for a time that ends. */
export const longestRetentionDays = (plan: Plan): number =>
  Math.max(...plan.schedules.flatMap(({ retention, keepLonger = [] }) => [retention, ...keepLonger.map((step) => step.retention)]).filter((retention) => retention !== "forever").map(wholeDays));

/** What a bucket of S3 is for, told by its name as the plan gives it: most rules hold for one role and not for another. */
import { accessLogBucket, bucketsOf, replicaBucket, stateBucket } from "../../plan/names.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { days, seconds, type Duration } from "../../plan/units.ts";
import type { ResourceReader } from "./resource.ts";

export type BucketRole =
  | "backup"
  /** What S3 copies of a backup bucket to another region. */
  | "replica"
  /** A year of backups in a Glacier storage class. */
  | "archive"
  /** S3's access logs, which it delivers to no bucket with Object Lock or a key of KMS. */
  | "log"
  /** Pulumi's, which overwrites and deletes. */
  | "state"
  /** None of the plan's names: judged as what it could hold, a backup. */
  | "unnamed";

export interface PlannedBucket {
  readonly role: BucketRole;
  /** Whose data lies there. */
  readonly backend?: Backend;
  /** Holds what is kept for less than the backend's lock. */
  readonly shortLived: boolean;
  /** Where the plan has it; absent: anywhere. */
  readonly region?: string;
}

export function bucketNamed(plan: Plan, name: string): PlannedBucket {
  if (name === stateBucket(plan)) return { role: "state", shortLived: false };
  const logged = plan.regions.find((region) => name === accessLogBucket(plan, region.name));
  if (logged !== undefined) return { role: "log", shortLived: false, region: logged.name };
  for (const backend of plan.backends.filter(({ kind }) => kind === "s3" || kind === "s3-glacier")) {
    for (const bucket of bucketsOf(backend)) {
      const shortLived = bucket !== backend.bucket;
      if (name === bucket) return { role: backend.role === "archive" ? "archive" : "backup", backend, shortLived, region: backend.region };
      const region = replicaRegion(plan, backend);
      if (name === replicaBucket(bucket)) return { role: "replica", backend, shortLived, ...(region === undefined ? {} : { region }) };
    }
  }
  return { role: "unnamed", shortLived: false };
}

/** The region that the plan has a backend's bucket copied to by S3 itself; `undefined`: none. */
export function replicaRegion(plan: Plan, backend: Backend): string | undefined {
  const copies = plan.stores.flatMap((store) => store.copies.filter((copy) => copy.kind === "replicated-bucket"));
  return copies.find((copy) => copy.of === backend.name)?.region;
}

/** The bucket that a resource is, or belongs to. */
export function bucketOf(resource: ResourceReader, plan: Plan, path = "bucket"): PlannedBucket | "unknown" {
  const reading = resource.read(path);
  if (reading.state === "unknown") return "unknown";
  return bucketNamed(plan, reading.state === "known" && typeof reading.value === "string" ? reading.value : "");
}

/** Whether nothing there may be deleted for a while. */
export const isLocked = ({ role }: PlannedBucket): boolean => role !== "log" && role !== "state";

/** For how long every object there is locked, at the least; zero where it cannot be. */
export function lockOf(plan: Plan, bucket: PlannedBucket): Duration {
  if (!isLocked(bucket)) return seconds(0);
  const { backend, shortLived } = bucket;
  if (backend === undefined) return plan.recovery.timeToNotice;
  return shortLived && backend.shortLived !== undefined ? backend.shortLived.immutableFor : backend.immutableFor;
}

/** S3 counts whole days. */
export const wholeDays = (duration: Duration): number => Math.ceil(duration / days(1));

import { S3BackupBucket, type LockMode } from "../../components/storage/s3-backup-bucket.ts";
import type { CrossRegionReplicationArgs } from "../../components/storage/cross-region-replication.ts";
import { accessLogBucket, backupsKey, bucketsOf, keyAlias, replicaBucket, stateBucket } from "../../plan/names.ts";
import { scheduleOf } from "../../plan/find.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { scaleDuration, type Duration } from "../../plan/units.ts";
import type { OpenRegion } from "./region.ts";

type Place = Pick<OpenRegion, "plan" | "name" | "config">;

const shared = ({ plan, name, config: { aws } }: Place) => ({ plan, region: name, accountId: aws.accountId, lifetime: "kept" }) as const;

/** Where S3 writes down who touched the region's buckets. */
export const accessLog = (region: Place): S3BackupBucket => new S3BackupBucket("access-log", { ...shared(region), bucket: accessLogBucket(region.plan, region.name), role: { kind: "log" } });

/** The backends of the plan whose bucket lies in the region. */
const backendsIn = ({ plan, name }: Place): readonly Backend[] => plan.backends.filter(({ kind, region }) => kind === "s3" && region === name);

/** Where the plan lets S3 copy a backend to. */
function replicaRegionOf(plan: Plan, backend: Backend): string | undefined {
  const [region] = plan.stores.flatMap(({ copies }) => copies.flatMap((copy) => (copy.kind === "replicated-bucket" && copy.of === backend.name ? [copy.region] : [])));
  return region;
}

/** The region's own backup buckets: the backend's, and the one for what is kept for less than its lock. */
export function backupBuckets(region: Place, lockMode: LockMode, log: S3BackupBucket): readonly S3BackupBucket[] {
  return backendsIn(region).flatMap((backend) =>
    bucketsOf(backend).map((bucket) => new S3BackupBucket(bucket, { ...shared(region), bucket, role: { kind: "backup", backend: backend.name, shortLived: bucket !== backend.bucket }, lockMode, ...guarded(region, log) }, { dependsOn: [log] })),
  );
}

/** What S3 copies into the region. What is kept for a day alone is not copied: it is replaced before a copy is of use. */
export function replicaBuckets(region: Place, lockMode: LockMode, log: S3BackupBucket): readonly S3BackupBucket[] {
  return region.plan.backends
    .filter((backend) => replicaRegionOf(region.plan, backend) === region.name)
    .map((backend) => new S3BackupBucket(replicaBucket(backend.bucket), { ...shared(region), bucket: replicaBucket(backend.bucket), role: { kind: "replica", of: backend.name, ...repositoryExpiry(region.plan) }, lockMode, ...guarded(region, log) }, { dependsOn: [log] }));
}

/** A full backup is needed as long as the last one that builds on it: twice its retention covers both. */
function repositoryExpiry(plan: Plan): { readonly expireRepositoryAfter?: Duration } {
  const retention = scheduleOf(plan, "postgres-full")?.retention;
  return retention === undefined || retention === "forever" ? {} : { expireRepositoryAfter: scaleDuration(retention, 2) };
}

/** Pulumi's own state, outside the primary region, under the multi-region key. */
export const stateStore = (region: Place, log: S3BackupBucket): S3BackupBucket => new S3BackupBucket("state", { ...shared(region), bucket: stateBucket(region.plan), role: { kind: "state" }, ...guarded(region, log) }, { dependsOn: [log] });

const guarded = ({ plan, config: { aws } }: Place, log: S3BackupBucket) => ({ keyAlias: keyAlias(plan, backupsKey), logBucket: log.bucketName, breakGlass: aws.breakGlass });

/** What copies a bucket to the region that the plan names; nothing where it names none. */
export function replicationOf({ plan, config: { aws } }: Place, bucket: S3BackupBucket): readonly CrossRegionReplicationArgs[] {
  const backend = plan.backends.find((one) => one.bucket === bucket.bucketName);
  const region = backend === undefined ? undefined : replicaRegionOf(plan, backend);
  if (region === undefined) return [];
  return [{ plan, source: bucket, destination: { bucketName: replicaBucket(bucket.bucketName), region }, accountId: aws.accountId, keyAlias: keyAlias(plan, backupsKey), ready: bucket.ready }];
}

import { ResourceReader } from "../../core/resource.ts";

export const types = {
  configMap: "kubernetes:core/v1:ConfigMap",
  cronJob: "kubernetes:batch/v1:CronJob",
  job: "kubernetes:batch/v1:Job",
  namespace: "kubernetes:core/v1:Namespace",
  claim: "kubernetes:core/v1:PersistentVolumeClaim",
  statefulSet: "kubernetes:apps/v1:StatefulSet",
  secret: "kubernetes:core/v1:Secret",
  alerts: "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
  s3Bucket: "aws:s3/bucket:Bucket",
  r2Bucket: "cloudflare:index/r2Bucket:R2Bucket",
  vault: "aws:glacier/vault:Vault",
  s3Lifecycle: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  r2Lifecycle: "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
  database: "postgresql:index/database:Database",
} as const;

export const ofType = (resources: readonly ResourceReader[], ...wanted: readonly string[]): readonly ResourceReader[] => resources.filter(({ facts }) => wanted.includes(facts.type));

/** A stack's resources; where several are judged at once, one after the other. */
export const stacksIn = (resources: readonly ResourceReader[]): readonly (readonly [stack: string, resources: readonly ResourceReader[]])[] => [...Map.groupBy(resources, ({ facts }) => facts.stack)];

/** Recovered from production's backups for a while, and not production. */
export const isDrill = (resources: readonly ResourceReader[]): boolean => resources.some(({ facts }) => facts.type === "blackroad:drill:RecoveryEnvironment");

/** What is said of a stack as a whole: no resource of it is to blame for what is not there. */
export const whole = (stack: string): ResourceReader => new ResourceReader({ type: "pulumi:pulumi:Stack", name: stack, urn: stack, props: {}, protect: false, parent: undefined, propertyDependencies: {}, stack });

export const nameLabel = ["metadata", "labels", "app.kubernetes.io/name"] as const;
export const regionLabel = ["metadata", "labels", "blackroad.io/region"] as const;
export const componentLabel = ["metadata", "labels", "app.kubernetes.io/component"] as const;
export const scheduleLabel = ["metadata", "labels", "blackroad.dr/schedule"] as const;

/** A text property, where it is known. */
export function textAt(resource: ResourceReader, path: string | readonly (string | number)[]): string | undefined {
  const reading = resource.read(path);
  return reading.state === "known" && typeof reading.value === "string" ? reading.value : undefined;
}

/** Where a serving region's databases are declared, its jobs and alerts are as well. */
export const serves = (resources: readonly ResourceReader[]): boolean => !isDrill(resources) && resources.some(({ facts }) => facts.type === "blackroad:jobs:BackupSchedule" || facts.type === types.cronJob);

import { bucketOf, type BucketRole, type PlannedBucket } from "../../core/bucket-role.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { Severity, StackRule } from "../../core/rule.ts";

export const bucketType = "aws:s3/bucket:Bucket";

export interface GuardRule {
  readonly id: string;
  readonly severity: Severity;
  readonly protects: string;
  readonly fix: string;
  /** Of the resource that must be there beside each bucket. */
  readonly type: string;
  /** Which buckets need it. */
  readonly needs: (bucket: PlannedBucket) => boolean;
}

/** What a bucket can be whose name is not known yet. */
const everyRole: readonly BucketRole[] = ["backup", "replica", "archive", "log", "state", "unnamed"];

/** A rule that a bucket has a guard at all; what the guard says is another's to judge. */
export const guardPresent = ({ id, severity, protects, fix, type, needs }: GuardRule): StackRule => ({
  kind: "stack",
  scope: "stack",
  id,
  severity,
  enforcement: "mandatory",
  protects,
  fix,
  breaks: { bucket: "another-bucket" },
  judge(resources, verdict) {
    const guards = resources.filter(({ facts }) => facts.type === type);
    for (const bucket of resources.filter(({ facts }) => facts.type === bucketType)) {
      const planned = bucketOf(bucket, verdict.plan);
      if (guards.some((guard) => belongsTo(guard, "bucket", bucket)) || (planned !== "unknown" && !needs(planned))) continue;
      if (planned === "unknown" && !everyRole.every((role) => needs({ role, shortLived: false }))) verdict.unjudged(bucket, "bucket");
      else verdict.violation(bucket, "", `has no ${type.split(":").at(-1) ?? type} beside it`);
    }
  },
});

/**
 * Whether a resource names the other by its property: by the value where both are known, else by what the value comes
 * from, which is known even at a preview.
 */
export function belongsTo(satellite: ResourceReader, property: string, to: ResourceReader, name = "bucket"): boolean {
  const theirs = satellite.read(property);
  const own = to.read(name);
  if (theirs.state === "known" && own.state === "known") return theirs.value === own.value;
  return satellite.facts.propertyDependencies[property]?.includes(to.facts.urn) ?? false;
}

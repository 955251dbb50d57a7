/** What rules about R2 share. */
import type { Backend, Plan } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";

export const r2BucketType = "cloudflare:index/r2Bucket:R2Bucket";
export const r2LockType = "cloudflare:index/r2BucketLock:R2BucketLock";

/** The backend whose bucket a resource is about; an unknown name may be that of any. */
export function r2Backend(resource: ResourceReader, plan: Plan, path = "bucketName"): Backend | "unknown" | undefined {
  const reading = resource.read(path);
  if (reading.state === "unknown") return "unknown";
  return plan.backends.find(({ kind, bucket }) => kind === "r2" && reading.state === "known" && bucket === reading.value);
}

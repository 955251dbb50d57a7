import * as cloudflare from "@pulumi/cloudflare";
import { backendOf } from "../../plan/find.ts";
import { ifThere, type RememberedState } from "../adopt.ts";
import type { R2BackupBucketArgs } from "./r2-backup-bucket.ts";

/** Cloudflare's number and words for a bucket that is not there. */
const noBucket = /\b10006\b|\b404\b|does not exist/;

/** Whether the state remembers the bucket of the `R2BackupBucket` called `name`. */
export const bucketRemembered = (name: string, state: RememberedState): boolean => state.has("cloudflare:index/r2Bucket:R2Bucket", `${name}-bucket`);

/**
 * Whether a backend's bucket exists at Cloudflare. One in a jurisdiction cannot be seen by the provider's lookup: for
 * that, `adopt` is said by hand.
 */
export async function bucketExists({ plan, accountId, backend }: Pick<R2BackupBucketArgs, "plan" | "accountId" | "backend">): Promise<boolean> {
  const bucketName = backendOf(plan, backend)?.bucket;
  return bucketName !== undefined && (await ifThere(cloudflare.getR2Bucket({ accountId, bucketName }), noBucket)) !== undefined;
}

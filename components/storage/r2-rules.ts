import type * as cloudflare from "@pulumi/cloudflare";
import { escrowPrefix, prefixesOf, repositoryPrefix, type Prefix } from "../../plan/layout.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { formatDuration } from "../../plan/units.ts";

type LockRule = cloudflare.types.input.R2BucketLockRule;
type LifecycleRule = cloudflare.types.input.R2BucketLifecycleRule;

/** Cloudflare looks at lifecycle rules once a day. */
const aDay = 86_400;
const idOf = (what: string, prefix: string): string => `${what}-${prefix === "" ? "all" : prefix.replace(/\/$/, "").replaceAll("/", "-")}`;

/**
 * What nobody but an administrator of the account can delete or overwrite, and for how long. R2's write permission
 * includes deletion (facts F3), so these rules are all that stands between a stolen writer and the backups.
 */
export function lockRules(plan: Plan, backend: Backend): LockRule[] {
  const aged = prefixesOf(plan, backend)
    .filter(({ writeOnce, lock }) => writeOnce && lock > 0)
    .map(({ prefix, lock }): LockRule => ({ id: idOf("lock", prefix), enabled: true, prefix, condition: { type: "Age", maxAgeSeconds: lock } }));
  return [...aged, { id: idOf("lock", escrowPrefix), enabled: true, prefix: escrowPrefix, condition: { type: "Indefinite" } }];
}

/**
 * What goes by its age alone, behind `dr`'s own expiry: never pgBackRest's files, of which a kept backup may need an old
 * one, and never what is kept equal to an original, where an old object may be the only one.
 */
export function lifecycleRules(plan: Plan, backend: Backend): LifecycleRule[] {
  const expiry = prefixesOf(plan, backend).flatMap(({ prefix, writeOnce, retention, lock }): LifecycleRule[] => {
    if (!writeOnce || retention === "forever" || prefix.startsWith(repositoryPrefix)) return [];
    return [{ id: idOf("expire", prefix), enabled: true, conditions: { prefix }, deleteObjectsTransition: { condition: { type: "Age", maxAge: Math.max(retention, lock) } } }];
  });
  return [...expiry, { id: idOf("abort-uploads", ""), enabled: true, conditions: { prefix: "" }, abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: longestUpload(plan) } } }];
}

/** No upload outlives the run that makes it, which is killed at its deadline. */
const longestUpload = (plan: Plan): number => Math.max(aDay, ...plan.schedules.map(({ deadline }) => deadline));

/** A lock that outlasts the retention: expiry would fail every day, and what should be gone is kept and paid for. */
export const lockProblems = (prefixes: readonly Prefix[]): readonly string[] =>
  prefixes.flatMap(({ prefix, lock, retention }) => (retention !== "forever" && lock > retention ? [`backend: ${prefix} is locked for ${formatDuration(lock)}, longer than the ${formatDuration(retention)} that it is kept`] : []));

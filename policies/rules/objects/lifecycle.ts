/** What rules about a bucket's lifecycle share: what lies there, and how long it must stay. */
import { scheduleOf } from "../../../plan/find.ts";
import { escrowPrefix, prefixesOf, repositoryPrefix } from "../../../plan/layout.ts";
import { isShortLived } from "../../../plan/survival.ts";
import type { Plan } from "../../../plan/types.ts";
import type { Duration } from "../../../plan/units.ts";
import { lockOf, type PlannedBucket } from "../../core/bucket-role.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { Verdict } from "../../core/rule.ts";

export const lifecycleType = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";

/** A lifecycle's rules that are in force; none, or unknown ones, are reported. */
export function enabledRules(resource: ResourceReader, verdict: Verdict): readonly ResourceReader[] {
  const rules = resource.list("rules");
  if (rules === undefined) verdict.unjudged(resource, "rules");
  return (rules ?? []).filter((rule) => {
    const status = rule.read("status");
    return status.state === "unknown" || (status.state === "known" && status.value === "Enabled");
  });
}

/** Where a rule has its prefix, by the years in which S3 put it there. */
export const prefixPaths = ["filter.prefix", "filter.and.prefix", "prefix"] as const;

/** The prefix that a rule is about, `""` being the whole bucket; `undefined` where it is not known. Tags and sizes narrow a rule and are not counted on. */
export function prefixOf(rule: ResourceReader): string | undefined {
  const filter = rule.read("filter");
  if (filter.state === "unknown") return undefined;
  for (const path of prefixPaths) {
    const prefix = rule.read(path);
    if (prefix.state === "unknown") return undefined;
    if (prefix.state === "known" && typeof prefix.value === "string") return prefix.value;
  }
  return "";
}

export interface Kept {
  /** `""`: the whole bucket. */
  readonly prefix: string;
  /** From its writing; `forever`: only tools and people delete it. */
  readonly current: Duration | "forever";
  /** From its deletion or overwriting. */
  readonly older: Duration;
}

/** How long S3 must leave what lies in a bucket, by prefix. */
export function keptIn(plan: Plan, bucket: PlannedBucket): readonly Kept[] {
  const { role, backend } = bucket;
  const { timeToNotice } = plan.recovery;
  if (role === "log") return [{ prefix: "", current: plan.system.retention, older: timeToNotice }];
  if (role === "archive") return [{ prefix: "", current: scheduleOf(plan, "archive")?.retention ?? "forever", older: timeToNotice }];
  if (backend === undefined) return [{ prefix: "", current: "forever", older: timeToNotice }]; // state, and what nobody knows
  const lock = lockOf(plan, bucket);
  const escrow: Kept = { prefix: escrowPrefix, current: "forever", older: lock };
  return [escrow, ...prefixesOf(plan, backend).map(({ prefix, schedules: names, retention }): Kept => {
    const schedules = names.map((name) => scheduleOf(plan, name)).filter((schedule) => schedule !== undefined);
    const [only, ...others] = schedules;
    if (prefix.startsWith(repositoryPrefix)) return { prefix, current: repository(bucket, retention), older: lock };
    // An old object of a mirror may be the only one; the versions that it replaced are the history.
    if (schedules.some(({ writes }) => writes === "mirror")) return { prefix, current: "forever", older: retention === "forever" || retention < lock ? lock : retention };
    const short = bucket.shortLived && only !== undefined && others.length === 0 && isShortLived(backend, only);
    return { prefix, current: short ? only.retention : retention, older: lock };
  })];
}

/** pgBackRest expires its own, and a kept backup may need any old file. In the replica nobody does: there twice what is
 * kept is enough, as no backup needs one that is older than the oldest kept one's full. */
function repository({ role }: PlannedBucket, retention: Duration | "forever"): Duration | "forever" {
  return role === "replica" && retention !== "forever" ? ((2 * retention) as Duration) : "forever";
}

/** Whatever a rule with a prefix is about. */
export const touchedBy = (kept: readonly Kept[], prefix: string): readonly Kept[] => kept.filter((one) => one.prefix.startsWith(prefix) || prefix.startsWith(one.prefix));

import { scheduleOf } from "../../plan/find.ts";
import { prefixesOf, repositoryPrefix } from "../../plan/layout.ts";
import { isShortLived } from "../../plan/survival.ts";
import type { Backend, Plan, Schedule } from "../../plan/types.ts";
import type { Duration } from "../../plan/units.ts";

/** A prefix of one bucket, and what of it may be taken away by age. */
export interface BucketPrefix {
  /** Ends in a slash. */
  readonly prefix: string;
  /** The longest that anything there is kept in this bucket. */
  readonly retention: Duration | "forever";
  readonly content:
    /** Each object is a whole backup, of which none needs another. */
    | "backups"
    /** What changed since the run before: a backup that is kept may need what is as much older as it is kept. */
    | "changes"
    /** pgBackRest's repository, of which a kept backup may need any old file, and which expires its own. */
    | "repository"
    /** Equal to an original: an old object may be the only one, and the versions that it replaced are the history. */
    | "mirror";
}

/** What lies in a backend's bucket, or in its bucket for what is kept for less than its lock. */
export function bucketPrefixes(plan: Plan, backend: Backend, shortLived: boolean): readonly BucketPrefix[] {
  return prefixesOf(plan, backend).flatMap(({ prefix, schedules: names, retention }): BucketPrefix[] => {
    const schedules = names.map((name) => scheduleOf(plan, name)).filter((schedule) => schedule !== undefined);
    const content = contentOf(prefix, schedules);
    const [only, ...others] = schedules;
    if (only === undefined || others.length > 0 || !isShortLived(backend, only)) return shortLived ? [] : [{ prefix, retention, content }];
    if (shortLived) return [{ prefix, retention: only.retention, content }];
    return only.keepLonger === undefined ? [] : [{ prefix, retention, content }];
  });
}

function contentOf(prefix: string, schedules: readonly Schedule[]): BucketPrefix["content"] {
  if (prefix.startsWith(repositoryPrefix)) return "repository";
  if (schedules.some(({ writes }) => writes === "mirror")) return "mirror";
  return schedules.some(({ writes }) => writes === "changes") ? "changes" : "backups";
}

import { days } from "../../../plan/units.ts";
import { wholeDays } from "../../core/bucket-role.ts";
import type { ResourceReader } from "../../core/resource.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { enabledRules, lifecycleType, prefixOf, prefixPaths } from "./lifecycle.ts";

const path = "abortIncompleteMultipartUpload.daysAfterInitiation";

export const s3AbortMultipart: ResourceRule = {
  kind: "resource",
  id: "s3-abort-multipart",
  severity: "low",
  enforcement: "mandatory",
  protects: "The parts of broken uploads are seen in no listing and paid for without end; aborted too soon, a long backup never ends.",
  fix: `Give one rule over the whole bucket ${path}: at least the days of the longest run, at most the time to notice.`,
  types: [lifecycleType],
  breaks: { rules: [], "rules[*].status": "Disabled", "rules[*].filter": { prefix: "elsewhere/" }, ...Object.fromEntries(prefixPaths.map((path) => [`rules[*].${path}`, "elsewhere/"])), [`rules[*].${path}`]: unset },
  judge(resource, verdict) {
    const { plan } = verdict;
    const least = Math.max(1, ...plan.schedules.map(({ deadline }) => wholeDays(deadline)));
    const most = wholeDays(days(Math.max(least, wholeDays(plan.recovery.timeToNotice))));
    const rules = enabledRules(resource, verdict);
    let open = resource.stateOf("rules") === "unknown";
    for (const rule of rules) {
      const age = rule.read(path);
      const prefix = prefixOf(rule);
      const status = rule.read("status");
      const known = age.state === "known" && typeof age.value === "number" && age.value >= least && age.value <= most;
      if (known && prefix === "" && isWhole(rule) && status.state === "known") return;
      if (age.state === "unknown" || (known && (prefix === undefined || status.state === "unknown"))) {
        verdict.unjudged(resource, rule.pathOf(path));
        open = true;
      }
    }
    if (!open) verdict.violation(resource, "rules", `has none that aborts uploads of the whole bucket after ${least === most ? least : `${least} to ${most}`} days`);
  },
};

/** What names a tag or a size is not about the whole bucket. */
const isWhole = (rule: ResourceReader): boolean => ["filter.tag", "filter.and", "filter.objectSizeGreaterThan", "filter.objectSizeLessThan"].every((path) => rule.stateOf(path) === "unset");

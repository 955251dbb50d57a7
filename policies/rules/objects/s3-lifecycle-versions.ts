import { days, formatDuration } from "../../../plan/units.ts";
import { bucketOf } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { enabledRules, keptIn, lifecycleType, prefixOf, prefixPaths, touchedBy } from "./lifecycle.ts";

const path = "noncurrentVersionExpiration";

export const s3LifecycleVersions: ResourceRule = {
  kind: "resource",
  id: "s3-lifecycle-versions",
  severity: "critical",
  enforcement: "mandatory",
  protects: "The older version is what undoes a deletion or an overwrite; it is counted from that, so it is the time in which somebody can notice.",
  fix: `Set ${path}.noncurrentDays to at least the bucket's lock, and where a mirror's history is kept to its retention.`,
  types: [lifecycleType],
  breaks: { [`rules[*].${path}.noncurrentDays`]: 0 },
  selects: ["bucket", "rules", "rules[*].status", "rules[*].filter", ...prefixPaths.map((path) => `rules[*].${path}`), `rules[*].${path}`],
  judge(resource, verdict) {
    const bucket = bucketOf(resource, verdict.plan);
    if (bucket === "unknown") {
      verdict.unjudged(resource, "bucket");
      return;
    }
    const all = keptIn(verdict.plan, bucket);
    for (const rule of enabledRules(resource, verdict)) {
      if (rule.read(path).state === "unset") continue; // older versions stay
      const prefix = prefixOf(rule);
      const least = Math.max(0, ...(prefix === undefined ? all : touchedBy(all, prefix)).map(({ older }) => older));
      verdict.property(rule, `${path}.noncurrentDays`, (value) => (typeof value === "number" && days(Math.max(0, value)) >= least ? undefined : `${shown(value)}, less than the ${formatDuration(least)} in which a deletion can be undone`));
    }
  },
};

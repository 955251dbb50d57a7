import { days, formatDuration } from "../../../plan/units.ts";
import { bucketOf } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { enabledRules, keptIn, lifecycleType, prefixOf, prefixPaths, touchedBy } from "./lifecycle.ts";

export const s3LifecycleRetention: ResourceRule = {
  kind: "resource",
  id: "s3-lifecycle-retention",
  severity: "critical",
  enforcement: "mandatory",
  protects: "S3 deletes by age what a kept backup still needs: WAL, pgBackRest's files, the only copy of an object.",
  fix: "Take the expiration away from what tools expire themselves (pgBackRest's repository, mirrors), and elsewhere set expiration.days to at least the plan's retention.",
  types: [lifecycleType],
  breaks: { "rules[*].expiration.days": 1, "rules[*].expiration.date": "2026-12-01T00:00:00Z" },
  selects: ["bucket", "rules", "rules[*].status", "rules[*].filter", ...prefixPaths.map((path) => `rules[*].${path}`)],
  judge(resource, verdict) {
    const bucket = bucketOf(resource, verdict.plan);
    if (bucket === "unknown") {
      verdict.unjudged(resource, "bucket");
      return;
    }
    const all = keptIn(verdict.plan, bucket);
    for (const rule of enabledRules(resource, verdict)) {
      const prefix = prefixOf(rule);
      const kept = prefix === undefined ? all : touchedBy(all, prefix);
      const longest = kept.find(({ current }) => current === "forever") ?? kept.toSorted((a, b) => Number(b.current) - Number(a.current))[0];
      verdict.property(rule, "expiration.date", (date) => (date === undefined ? undefined : `${shown(date)}, on which everything goes at once`));
      verdict.property(rule, "expiration.days", (value) => {
        if (value === undefined || longest === undefined) return undefined;
        if (longest.current === "forever") return `${shown(value)}, where S3 must expire nothing: ${longest.prefix === "" ? "this bucket" : longest.prefix} is kept until its tool deletes it`;
        return typeof value === "number" && days(value) >= longest.current ? undefined : `${shown(value)}, where ${longest.prefix === "" ? "all" : longest.prefix} is kept for ${formatDuration(longest.current)}`;
      });
    }
  },
};

import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const cronOverlap: ResourceRule = {
  kind: "resource",
  id: "cron-overlap",
  severity: "high",
  enforcement: "mandatory",
  protects: "Two runs of one backup at once fight for the store and for the repository's lock: both are late, and one fails.",
  fix: 'Set spec.concurrencyPolicy to "Forbid".',
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { "spec.concurrencyPolicy": "Allow" },
  judge(resource, verdict) {
    verdict.property(resource, "spec.concurrencyPolicy", (policy) => (policy === "Forbid" ? undefined : `${shown(policy)}, not "Forbid"`));
  },
};

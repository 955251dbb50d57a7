import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const zone = "Etc/UTC";

export const cronTimeZone: ResourceRule = {
  kind: "resource",
  id: "cron-time-zone",
  severity: "medium",
  enforcement: "mandatory",
  protects: "In another zone a schedule skips an hour once a year and runs one twice, and two regions run it at different times; recovery points then do not meet.",
  fix: `Set spec.timeZone to "${zone}".`,
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { "spec.timeZone": "America/New_York" },
  judge(resource, verdict) {
    verdict.property(resource, "spec.timeZone", (value) => (value === zone ? undefined : `${shown(value)}, not "${zone}"`));
  },
};

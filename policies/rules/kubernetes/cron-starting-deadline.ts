import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

/** The controller looks every 10 s: what may be no later than that may never begin (facts F13). */
const least = 10;

export const cronStartingDeadline: ResourceRule = {
  kind: "resource",
  id: "cron-starting-deadline",
  severity: "high",
  enforcement: "mandatory",
  protects: "Without one, a CronJob that missed 100 starts, as over an outage of its cluster, never starts again; with too short a one it skips runs at random.",
  fix: `Set spec.startingDeadlineSeconds to what is left of the interval beside the run's own deadline, and to ${least} at least.`,
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { "spec.startingDeadlineSeconds": least - 1 },
  judge(resource, verdict) {
    verdict.property(resource, "spec.startingDeadlineSeconds", (seconds) => (typeof seconds === "number" && seconds >= least ? undefined : `${shown(seconds)}, not ${least} s or more`));
  },
};

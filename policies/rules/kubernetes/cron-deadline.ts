import { intervalOf } from "../../../plan/schedule.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const deadline = "spec.jobTemplate.spec.activeDeadlineSeconds";

export const cronDeadline: ResourceRule = {
  kind: "resource",
  id: "cron-deadline",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A run that hangs holds the place of all that come after it: backups stop, and nothing fails that would tell.",
  fix: `Set ${deadline} below the interval of spec.schedule.`,
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { [deadline]: 366 * 86_400, "spec.schedule": "* * * * *" },
  judge(resource, verdict) {
    const schedule = resource.read("spec.schedule");
    const interval = schedule.state === "known" ? secondsBetween(schedule.value) : undefined;
    if (schedule.state === "unknown") verdict.unjudged(resource, "spec.schedule");
    else if (interval === undefined) verdict.violation(resource, "spec.schedule", `${shown(schedule.state === "known" ? schedule.value : undefined)}, which is no cron of five fields`);
    verdict.property(resource, deadline, (seconds) => {
      if (typeof seconds !== "number" || seconds <= 0) return `${shown(seconds)}: a run may take for ever`;
      return interval !== undefined && seconds >= interval ? `is ${seconds} s, and the next run is due after ${interval} s` : undefined;
    });
  },
};

/** Seconds; `undefined` where it is no cron that the plan could name. */
function secondsBetween(cron: unknown): number | undefined {
  if (typeof cron !== "string") return undefined;
  try {
    return intervalOf({ cron });
  } catch {
    return undefined; // whoever asks says so, with the text
  }
}

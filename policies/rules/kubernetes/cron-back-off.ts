import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

const limit = "spec.jobTemplate.spec.backoffLimit";
const restart = "spec.jobTemplate.spec.template.spec.restartPolicy";
/** With Kubernetes' waits of 10 and 20 s between attempts; its default of 6 waits ten minutes in all. */
const most = 3;

export const cronBackOff: ResourceRule = {
  kind: "resource",
  id: "cron-back-off",
  severity: "medium",
  enforcement: "mandatory",
  protects: "A backup that is tried again and again in place spends its whole interval on it: the failure counts late, and the log that explains it is overwritten.",
  fix: `Set ${limit} to ${most} at most and ${restart} to "Never".`,
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { [limit]: 6, [restart]: "OnFailure" },
  judge(resource, verdict) {
    verdict.property(resource, limit, (attempts) => (typeof attempts === "number" && attempts >= 0 && attempts <= most ? undefined : `${shown(attempts)}, not ${most} or fewer (Kubernetes' default is 6)`));
    verdict.property(resource, restart, (policy) => (policy === "Never" ? undefined : `${shown(policy)}, not "Never"`));
  },
};

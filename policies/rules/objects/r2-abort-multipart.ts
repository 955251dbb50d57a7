import { days } from "../../../plan/units.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { r2Backend } from "./r2.ts";

const path = "abortMultipartUploadsTransition.condition.maxAge";

export const r2AbortMultipart: ResourceRule = {
  kind: "resource",
  id: "r2-abort-multipart",
  severity: "low",
  enforcement: "mandatory",
  protects: "The parts of broken uploads are paid for without end; aborted too soon, a long backup never ends.",
  fix: `Give one enabled rule over the whole bucket ${path}, in seconds: at least the longest run's deadline, at most the time to notice.`,
  types: ["cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"],
  breaks: { rules: [], "rules[*].enabled": false, "rules[*].conditions.prefix": "elsewhere/", [`rules[*].${path}`]: unset },
  selects: ["bucketName"],
  judge(resource, verdict) {
    const { plan } = verdict;
    if (r2Backend(resource, plan) === undefined) return;
    const least = Math.max(...plan.schedules.map(({ deadline }) => deadline));
    const most = Math.max(plan.recovery.timeToNotice, days(1));
    const rules = resource.list("rules");
    let open = rules === undefined;
    for (const rule of rules ?? []) {
      const readings = [rule.read("enabled"), rule.read("conditions.prefix"), rule.read(path)] as const;
      const [enabled, prefix, age] = readings;
      const right = [enabled.state === "unknown" || (enabled.state === "known" && enabled.value === true), prefix.state !== "known" || prefix.value === "", age.state === "unknown" || (age.state === "known" && typeof age.value === "number" && age.value >= least && age.value <= most)];
      if (!right.every(Boolean)) continue;
      if (readings.every(({ state }) => state !== "unknown")) return;
      open = true;
    }
    if (open) verdict.unjudged(resource, "rules");
    else verdict.violation(resource, "rules", "has none that aborts broken uploads of the whole bucket");
  },
};

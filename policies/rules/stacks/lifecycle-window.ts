import { prefixesOf } from "../../../plan/layout.ts";
import { bucketsOf, replicaBucket } from "../../../plan/names.ts";
import type { Plan } from "../../../plan/types.ts";
import { days } from "../../../plan/units.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { ofType, textAt, types } from "./parts.ts";

export const lifecycleWindow: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "lifecycle-window",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A lifecycle rule that expires backups before the recovery window has passed takes away the points in time that were promised.",
  fix: "Let the rule expire nothing before the recovery window has passed, or before the plan's retention of that prefix where that is shorter.",
  breaks: { "rules[*].expiration.days": 0, "rules[*].deleteObjectsTransition.condition.maxAge": 0 },
  selects: ["bucket", "bucketName", "rules", "rules[*].filter.prefix", "rules[*].conditions.prefix"],
  judge(resources, verdict) {
    for (const resource of ofType(resources, types.s3Lifecycle)) judgeRules(resource, { bucket: "bucket", prefix: "filter.prefix", age: "expiration.days", unit: days(1) }, verdict);
    for (const resource of ofType(resources, types.r2Lifecycle)) judgeRules(resource, { bucket: "bucketName", prefix: "conditions.prefix", age: "deleteObjectsTransition.condition.maxAge", unit: 1 }, verdict);
  },
};

interface Shape {
  readonly bucket: string;
  readonly prefix: string;
  readonly age: string;
  /** What an age is counted in, in seconds. */
  readonly unit: number;
}

function judgeRules(resource: ResourceReader, shape: Shape, verdict: Verdict): void {
  if (resource.stateOf(shape.bucket) === "unknown") verdict.unjudged(resource, shape.bucket);
  const bucket = textAt(resource, shape.bucket);
  const backend = verdict.plan.backends.find((one) => bucket !== undefined && bucketsOf(one).some((name) => bucket === name || bucket === replicaBucket(name)));
  if (backend === undefined) return; // access logs and Pulumi's state are nobody's backups
  const rules = resource.list("rules");
  if (rules === undefined) verdict.unjudged(resource, "rules");
  for (const rule of rules ?? []) {
    const least = keptAtLeast(verdict.plan, backend, textAt(rule, shape.prefix) ?? "");
    // Unset: it expires nothing.
    verdict.property(rule, shape.age, (age) => (age === undefined || Number(age) * shape.unit >= least ? undefined : `is ${JSON.stringify(age)}: what is there must be kept for at least ${least} s`));
  }
}

/** What lies under a rule's prefix may be gone as soon as the plan keeps none of it any longer, or after the window. */
function keptAtLeast(plan: Plan, backend: Plan["backends"][number], prefix: string): number {
  const concerned = backend.role === "archive" ? [] : prefixesOf(plan, backend).filter((one) => one.prefix.startsWith(prefix) || prefix.startsWith(one.prefix));
  const retentions = concerned.map(({ retention }) => (retention === "forever" ? Infinity : retention));
  return Math.min(plan.recovery.window, retentions.length === 0 ? Infinity : Math.max(...retentions));
}

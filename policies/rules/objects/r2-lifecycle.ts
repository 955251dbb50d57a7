import { escrowPrefix, prefixesOf, repositoryPrefix } from "../../../plan/layout.ts";
import type { Backend, Plan } from "../../../plan/types.ts";
import { formatDuration, type Duration } from "../../../plan/units.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { r2Backend } from "./r2.ts";

const transition = "deleteObjectsTransition.condition";

export const r2Lifecycle: ResourceRule = {
  kind: "resource",
  id: "r2-lifecycle",
  severity: "critical",
  enforcement: "mandatory",
  protects: "R2 deletes for good: a rule that is too early takes backups that are promised, and one over pgBackRest's files what a kept backup needs; before the lock's end it fails every day.",
  fix: `Set ${transition}.maxAge to at least the lock and the retention of the prefix; give pgBackRest's repository, mirrors and the escrow no rule.`,
  types: ["cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"],
  breaks: { [`rules[*].${transition}.maxAge`]: 60 },
  selects: ["bucketName", "rules", "rules[*].enabled", "rules[*].conditions.prefix", "rules[*].deleteObjectsTransition", `rules[*].${transition}.type`],
  judge(resource, verdict) {
    const backend = r2Backend(resource, verdict.plan);
    if (backend === undefined) return;
    const rules = resource.list("rules");
    if (backend === "unknown" || rules === undefined) {
      verdict.unjudged(resource, backend === "unknown" ? "bucketName" : "rules");
      return;
    }
    for (const rule of rules) {
      if (!expires(rule)) continue;
      const prefix = rule.read("conditions.prefix");
      const at = prefix.state === "known" && typeof prefix.value === "string" ? prefix.value : "";
      if (prefix.state === "unknown") verdict.unjudged(resource, rule.pathOf("conditions.prefix"));
      const kept = Math.max(0, ...keptIn(verdict.plan, backend).filter((one) => one.prefix.startsWith(at) || at.startsWith(one.prefix)).map(({ least }) => least));
      const type = rule.read(`${transition}.type`);
      if (type.state === "known" && type.value === "Date") verdict.violation(resource, rule.pathOf(`${transition}.type`), "is \"Date\", on which everything goes at once");
      else verdict.property(rule, `${transition}.maxAge`, (age) => (typeof age === "number" && age >= kept ? undefined : `${shown(age)}${Number.isFinite(kept) ? `, less than the ${formatDuration(kept)} that is locked or kept` : ", where nothing may go by its age"}: ${at === "" ? "the whole bucket" : at}`));
    }
  },
};

/** Of a rule that is in force, as far as is known. */
function expires(rule: ResourceReader): boolean {
  const enabled = rule.read("enabled");
  return !(enabled.state === "known" && enabled.value === false) && rule.read("deleteObjectsTransition").state !== "unset";
}

const keptIn = (plan: Plan, backend: Backend): readonly { readonly prefix: string; readonly least: number }[] => [
  { prefix: escrowPrefix, least: Infinity },
  ...prefixesOf(plan, backend).map(({ prefix, writeOnce, retention, lock }) => ({ prefix, least: prefix.startsWith(repositoryPrefix) || !writeOnce ? Infinity : atLeast(retention, lock) })),
];
const atLeast = (retention: Duration | "forever", lock: Duration): number => (retention === "forever" ? Infinity : Math.max(retention, lock));

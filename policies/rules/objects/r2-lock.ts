import { escrowPrefix, prefixesOf } from "../../../plan/layout.ts";
import { formatDuration } from "../../../plan/units.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { r2Backend, r2LockType } from "./r2.ts";

export const r2Lock: ResourceRule = {
  kind: "resource",
  id: "r2-lock",
  severity: "critical",
  enforcement: "mandatory",
  protects: "What no rule locks, a stolen writer's token deletes or overwrites at once: R2 keeps no versions.",
  fix: "Give every prefix that is written once an enabled rule of at least the plan's lock, and the escrow one without end.",
  types: [r2LockType],
  breaks: { rules: [], "rules[*].enabled": false, "rules[*].prefix": "elsewhere/", "rules[*].condition.type": "Date", "rules[*].condition.maxAgeSeconds": 60 },
  selects: ["bucketName"],
  judge(resource, verdict) {
    const backend = r2Backend(resource, verdict.plan);
    if (backend === undefined) return; // of another system
    const rules = resource.list("rules");
    if (rules === undefined) {
      verdict.unjudged(resource, "rules");
      return;
    }
    const locks = rules.map(lockOf);
    const backends = backend === "unknown" ? verdict.plan.backends.filter(({ kind }) => kind === "r2") : [backend];
    for (const one of backends) {
      const needed = [...prefixesOf(verdict.plan, one).filter(({ writeOnce, lock }) => writeOnce && lock > 0), { prefix: escrowPrefix, lock: Infinity }];
      for (const { prefix, lock } of needed) {
        const over = locks.filter(({ at }) => at === undefined || prefix.startsWith(at));
        if (over.some(({ at, seconds }) => at !== undefined && seconds !== undefined && seconds >= lock)) continue;
        const open = over.findIndex(({ at, seconds }) => at === undefined || seconds === undefined);
        if (open >= 0) verdict.unjudged(resource, "rules");
        else verdict.violation(resource, "rules", `lock ${prefix} for ${formatDuration(Math.max(0, ...over.map(({ seconds }) => seconds ?? 0)))}, less than ${Number.isFinite(lock) ? `the plan's ${formatDuration(lock)}` : "for ever"}`);
      }
    }
  },
};

/** The prefix that a rule is about, and for how long; `undefined` where that is not known. */
function lockOf(rule: ResourceReader): { readonly at: string | undefined; readonly seconds: number | undefined } {
  const prefix = rule.read("prefix");
  const at = prefix.state === "unknown" ? undefined : prefix.state === "known" && typeof prefix.value === "string" ? prefix.value : "";
  const enabled = rule.read("enabled");
  if (enabled.state !== "known" || enabled.value !== true) return { at, seconds: enabled.state === "unknown" ? undefined : 0 };
  const type = rule.read("condition.type");
  if (type.state === "known" && type.value === "Indefinite") return { at, seconds: Infinity };
  const age = rule.read("condition.maxAgeSeconds");
  if (type.state === "unknown" || age.state === "unknown") return { at, seconds: undefined };
  // A date is over one day, and then nothing is locked.
  return { at, seconds: type.state === "known" && type.value === "Age" && age.state === "known" && typeof age.value === "number" ? age.value : 0 };
}

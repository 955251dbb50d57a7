import { metrics } from "../../../plan/metrics.ts";
import type { Alert, Plan } from "../../../plan/types.ts";
import type { StackRule } from "../../core/rule.ts";
import { promSeconds, rulesNamed } from "./alert-rules.ts";
import { serves, stacksIn, whole } from "./parts.ts";

interface Watch {
  readonly alert: Alert;
  readonly metric: string;
  readonly objective: number;
}

/**
 * The objectives that are times, each with the plan's alert that is to fire before it is broken: the RPO of the system,
 * which is also that of the important stores and what is accepted for the critical ones after a disaster. An alert that
 * the requirements set at the objective itself (N10) cannot, and is left to fire when it is too late.
 */
function watches({ alerts, system }: Plan): readonly Watch[] {
  return alerts.flatMap((alert): readonly Watch[] => {
    if (alert.kind !== "recovery-point-age" && alert.kind !== "wal-age") return [];
    if (alert.above + alert.for >= system.rpo) return [];
    return [{ alert, metric: alert.kind === "wal-age" ? metrics.walAge.name : metrics.recoveryPointAge.name, objective: system.rpo }];
  });
}

export const objectiveAlerts: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "objective-alerts",
  severity: "critical",
  enforcement: "mandatory",
  protects: "An alert that fires when the objective is broken comes too late: what should have been saved is lost by then.",
  fix: "Declare the plan's alerts on the recovery point's age and on the newest WAL, with threshold and `for` together below the RPO.",
  breaks: { "spec.groups[*].rules[*].expr": "vector(0)", "spec.groups[*].rules[*].for": "30d" },
  selects: ["spec.groups", "spec.groups[*].rules", "spec.groups[*].rules[*].alert"],
  judge(resources, verdict) {
    const wanted = watches(verdict.plan);
    for (const [stack, members] of stacksIn(resources)) {
      if (!serves(members)) continue;
      for (const { alert, metric, objective } of wanted) {
        const [rule] = rulesNamed(members, [alert.name], verdict);
        if (rule === undefined) verdict.violation(whole(stack), "", `no alert ${alert.name} fires before the objective of ${objective} s is broken`);
        else if (rule.expr !== undefined) {
          const threshold = new RegExp(`\\b${metric}\\b(?:\\{[^}]*\\})?\\s*>=?\\s*([\\d.]+)`).exec(rule.expr)?.[1];
          if (threshold === undefined) verdict.violation(rule.reader, rule.reader.pathOf("expr"), `is ${JSON.stringify(rule.expr)}, which has no threshold on ${metric}`);
          else {
            verdict.property(rule.reader, "for", (value) => {
              const held = promSeconds(value);
              if (held === undefined) return `is ${JSON.stringify(value)}, no duration`;
              return Number(threshold) + held < objective ? undefined : `makes ${Number(threshold) + held} s with the threshold: the objective of ${objective} s is broken by then`;
            });
          }
        }
      }
    }
  },
};

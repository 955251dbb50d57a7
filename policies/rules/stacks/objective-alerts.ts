import { metrics } from "../../../plan/metrics.ts";
import { storesByPromise } from "../../../plan/promised-loss.ts";
import type { Plan } from "../../../plan/types.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { promSeconds, rulesNamed, type AlertRule } from "./alert-rules.ts";
import { serves, stacksIn, whole } from "./parts.ts";

/** An objective that is a time, and the plan's alert that is to fire before it is broken. */
interface Watch {
  readonly alert: string;
  readonly metric: string;
  /** Whose; absent: the system's. */
  readonly store?: string;
  /** In seconds. */
  readonly objective: number;
}

/**
 * Of the system its RPO, and of each store what is promised of it by itself. An alert that the requirements set at the
 * objective (N10) cannot fire before it, and is left to fire when it is too late.
 */
function watches(plan: Plan): readonly Watch[] {
  const { alerts, system } = plan;
  return alerts.flatMap((alert): readonly Watch[] => {
    if (alert.kind === "store-recovery-point-age") return [...storesByPromise(plan)].flatMap(([objective, stores]) => stores.map((store) => ({ alert: alert.name, metric: metrics.storeRecoveryPointAge.name, store: store.name, objective })));
    if ((alert.kind !== "recovery-point-age" && alert.kind !== "wal-age") || alert.above + alert.for >= system.rpo) return [];
    return [{ alert: alert.name, metric: alert.kind === "wal-age" ? metrics.walAge.name : metrics.recoveryPointAge.name, objective: system.rpo }];
  });
}

export const objectiveAlerts: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "objective-alerts",
  severity: "critical",
  enforcement: "mandatory",
  protects: "An alert that fires when the objective is broken comes too late: what should have been saved is lost by then.",
  fix: "Declare the plan's alerts on the recovery point's age, of the system and of each store, and on the newest WAL: a bare comparison with a threshold that is, with `for`, below the objective.",
  breaks: { "spec.groups[*].rules[*].expr": "vector(0)", "spec.groups[*].rules[*].for": "30d" },
  selects: ["spec.groups", "spec.groups[*].rules", "spec.groups[*].rules[*].alert"],
  judge(resources, verdict) {
    const wanted = watches(verdict.plan);
    for (const [stack, members] of stacksIn(resources)) {
      if (!serves(members)) continue;
      const byName = Map.groupBy(rulesNamed(members, [...new Set(wanted.map(({ alert }) => alert))], verdict), ({ alert }) => alert);
      for (const watch of wanted) judgeWatch(stack, watch, byName.get(watch.alert) ?? [], verdict);
    }
  },
};

/** One rule that keeps it is enough; where there is none, the first is told what is wrong with it. */
function judgeWatch(stack: string, watch: Watch, rules: readonly AlertRule[], verdict: Verdict): void {
  const own = rules.filter((rule) => rule.expr === undefined || isAbout(rule.expr, watch));
  const [first] = own;
  if (first === undefined) {
    const [other] = rules;
    if (other === undefined || watch.store !== undefined) verdict.violation(other?.reader ?? whole(stack), other?.reader.where ?? "", `no alert ${watch.alert} fires before the objective of ${watch.objective} s${watch.store === undefined ? "" : ` of ${watch.store}`} is broken`);
    else verdict.violation(other.reader, other.reader.pathOf("expr"), `${shown(other.expr === "" ? undefined : other.expr)}, which has no threshold on ${watch.metric} alone`);
    return;
  }
  const problems = own.map((rule) => ({ rule, problem: problemOf(rule, watch) }));
  // What is not known was said to be unjudged.
  if (problems.some(({ problem }) => problem === undefined)) return;
  verdict.violation(first.reader, first.reader.pathOf("for"), problems[0]?.problem ?? "");
}

/** The whole of an expression: what is added to a comparison can keep it from ever firing. */
const comparison = /^\s*(\w+)(?:\{store=~?"([^"]*)"\})?\s*>=?\s*(\d+(?:\.\d+)?)\s*$/;

function isAbout(expr: string, { metric, store }: Watch): boolean {
  const found = comparison.exec(expr);
  return found?.[1] === metric && (found[2] === undefined || (store !== undefined && found[2].split("|").includes(store)));
}

function problemOf({ reader, expr }: AlertRule, { objective }: Watch): string | undefined {
  const held = reader.read("for");
  if (held.state === "unknown" || expr === undefined) return undefined;
  const seconds = promSeconds(held.state === "known" ? held.value : undefined);
  if (seconds === undefined) return `${shown(held.state === "known" ? held.value : undefined)}, no duration`;
  const total = Number(comparison.exec(expr)?.[3]) + seconds;
  return total < objective ? undefined : `makes ${total} s with the threshold: the objective of ${objective} s is broken by then`;
}

import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { isDatabase } from "./database.ts";
import { all, equal, matches, namespaceOf, podLabels, sameStack, valueAt } from "./selector.ts";

const type = "kubernetes:policy/v1:PodDisruptionBudget";
const labelsPath = "spec.template.metadata.labels";

export const databaseBudget: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "database-budget",
  severity: "high",
  enforcement: "mandatory",
  protects: "Maintenance drains nodes side by side: without a budget it takes the leader and its synchronous replica, or two of three votes, at the same moment.",
  fix: "Declare a PodDisruptionBudget that selects the servers' labels in their namespace, with maxUnavailable 1.",
  breaks: { [labelsPath]: {}, "metadata.namespace": "elsewhere", "spec.selector": { matchLabels: { "app.kubernetes.io/name": "nobody" } }, "spec.maxUnavailable": 2 },
  selects: ["spec.minAvailable", "spec.replicas"],
  judge(resources, verdict) {
    const budgets = resources.filter(({ facts }) => facts.type === type);
    for (const database of resources.filter(isDatabase)) judgeDatabase(database, budgets.filter((budget) => sameStack(budget, database)), verdict);
  },
};

function judgeDatabase(database: ResourceReader, budgets: readonly ResourceReader[], verdict: Verdict): void {
  const [namespace, labels] = [namespaceOf(database), podLabels(database)];
  const found = budgets.map((budget) => ({ budget, match: all([equal(namespaceOf(budget), namespace), matches(valueAt(budget, "spec.selector"), labels)]) }));
  const own = found.filter(({ match }) => match === "yes");
  for (const { budget } of own) judgeBudget(budget, database, verdict);
  if (own.length > 0) return;
  if (found.some(({ match }) => match === "unknown")) verdict.unjudged(database, labelsPath);
  else verdict.violation(database, labelsPath, "is selected by no disruption budget of its namespace");
}

/** At most one: of two servers the other one stays, of three votes two. */
function judgeBudget(budget: ResourceReader, database: ResourceReader, verdict: Verdict): void {
  if (budget.read("spec.maxUnavailable").state !== "unset") {
    verdict.property(budget, "spec.maxUnavailable", (most) => (most === 0 || most === 1 ? undefined : `${shown(most)}, not 1`));
    return;
  }
  const replicas = valueAt(database, "spec.replicas") ?? 1;
  verdict.property(budget, "spec.minAvailable", (least) => {
    if (typeof least !== "number") return `${shown(least)}, and neither is spec.maxUnavailable a number`;
    if (typeof replicas !== "number") return "is counted from replicas that are not known; set spec.maxUnavailable to 1";
    return replicas - least <= 1 ? undefined : `is ${least} of ${replicas}: more than one may go at a time`;
  });
}

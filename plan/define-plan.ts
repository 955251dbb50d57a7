import { checkAcceptances, checkNeeded } from "./checks/acceptances.ts";
import { checkAlerts } from "./checks/alerts.ts";
import type { Check } from "./checks/check.ts";
import { checkFigures, checkRates } from "./checks/figures.ts";
import { checkLocks } from "./checks/locks.ts";
import { checkNames } from "./checks/names.ts";
import { checkObjectives } from "./checks/objectives.ts";
import { checkBackends, checkRegions } from "./checks/places.ts";
import { checkReferences } from "./checks/references.ts";
import { checkRetention } from "./checks/retention.ts";
import { checkCrons, checkDeadlines, checkMissedRuns, checkRuns } from "./checks/schedules.ts";
import { checkPostgres, checkRedis } from "./checks/servers.ts";
import { checkFields, checkShape } from "./checks/shape.ts";
import { PlanError, type PlanProblem } from "./plan-error.ts";
import type { Plan } from "./types.ts";

/** What a plan must pass to be reckoned with at all. */
const grounds: readonly Check[] = [checkShape, checkNames, checkReferences, checkRates, checkCrons];
const contradictions: readonly Check[] = [
  checkFigures,
  checkRegions,
  checkBackends,
  checkObjectives,
  checkRuns,
  checkDeadlines,
  checkMissedRuns,
  checkRetention,
  checkLocks,
  checkPostgres,
  checkRedis,
  checkAlerts,
  checkAcceptances,
];

/**
 * Returns the plan, or says everything that is wrong with it.
 *
 * Whether its promises can be kept is the assessment's to say (`assess`), not this function's: a plan whose promises
 * cannot be kept is still a plan, and `dr plan` shows where it fails.
 *
 * @throws PlanError with every problem: its field, the value and what was expected. Two things come only when the
 * rest allows it: with a whole field missing nothing else is judged, and whether an acceptance is needed is only
 * judged in a plan that can be assessed.
 */
export function definePlan(plan: Plan): Plan {
  const missing = problemsOf(plan, [checkFields]);
  if (missing.length > 0) throw new PlanError(plan.name, missing);
  const ground = problemsOf(plan, grounds);
  const problems = [...ground, ...problemsOf(plan, ground.length === 0 ? [...contradictions, checkNeeded] : contradictions)];
  if (problems.length > 0) throw new PlanError(plan.name, problems);
  return plan;
}

function problemsOf(plan: Plan, checks: readonly Check[]): readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  for (const check of checks) check(plan, (field, value, expected) => void problems.push({ field, value, expected }));
  return problems;
}

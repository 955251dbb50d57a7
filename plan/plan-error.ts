/** One thing that is wrong with a plan. */
export interface PlanProblem {
  /** The path of the field, e.g. `schedules[redis-snapshot].deadline`; members of a list go by their names. */
  readonly field: string;
  /** What stands there, in base units. */
  readonly value: unknown;
  readonly expected: string;
}

/** A plan that cannot be right, with everything that is wrong with it. */
export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly plan: string;
  readonly problems: readonly PlanProblem[];

  constructor(plan: string, problems: readonly PlanProblem[]) {
    super([`the plan ${JSON.stringify(plan)} has ${problems.length} error${problems.length === 1 ? "" : "s"}:`, ...problems.map((problem) => `  ${describeProblem(problem)}`)].join("\n"));
    this.plan = plan;
    this.problems = problems;
  }
}

export const describeProblem = ({ field, value, expected }: PlanProblem): string => `${field} is ${describeValue(value)}; expected ${expected}`;

function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "number") return String(value); // JSON has no word for NaN and Infinity
  return JSON.stringify(value);
}

/** What grows with the number of agents, and how far the plan's promises, deadlines and quotas hold when it does. */
import { assessCell, promiseOf, type Given } from "./assess.ts";
import { storedIn } from "./cost.ts";
import { isBackendCopy } from "./find.ts";
import { failureScopes, storeNames, tiers, type FailureScope, type Plan, type Rates, type Schedule, type StoreName } from "./types.ts";
import { bytes, transferTime, type Duration, type Size } from "./units.ts";
import { bytesPerRun } from "./volume.ts";

/** The same plan with `factor` times the agents: their data, its changes and the log grow alike. */
export function grown(plan: Plan, factor: number): Plan {
  const times = (size: Size): Size => bytes(size * factor);
  return {
    ...plan,
    agents: Math.round(plan.agents * factor),
    stores: plan.stores.map((store) => ({ ...store, expectedSize: times(store.expectedSize), dailyChange: times(store.dailyChange) })),
    postgres: { ...plan.postgres, walPerDay: times(plan.postgres.walPerDay) },
  };
}

/** What ends first when everything grows: a promise, a run that no longer fits its deadline, a quota. */
export interface Limit {
  readonly kind: "objective" | "tier" | "deadline" | "quota";
  /** The store and failure, the tier, the schedule, or the backend. */
  readonly what: string;
  /** Of the plan's own size; below 1: it does not hold as planned. `undefined`: it does not depend on the size. */
  readonly factor: number | undefined;
}

/** Beyond this nobody plans with one system, and what has not ended by then is said to hold. */
const farthest = 1_024;

/** Every limit, the nearest first. */
export function limitsOf(plan: Plan, given: Pick<Given, "rates"> = {}): readonly Limit[] {
  const rates = given.rates ?? plan.rates;
  const holds = (kind: Limit["kind"], what: string, isKept: (larger: Plan) => boolean): Limit => ({ kind, what, factor: lastThatHolds((factor) => isKept(grown(plan, factor))) });
  const cellsOf = (larger: Plan, scope: FailureScope, names: readonly StoreName[]) => larger.stores.filter(({ name }) => names.includes(name)).map((store) => assessCell(larger, store, scope, { rates }));
  const limits = [
    ...plan.stores.flatMap(({ name }) => failureScopes.map((scope) => holds("objective", `${name}, ${scope}: RTO`, (larger) => cellsOf(larger, scope, [name]).every((cell) => cell.rto.verdict !== "not met")))),
    ...tiers.map((tier) => holds("tier", tier, (larger) => promiseOf(larger, tier, cellsOf(larger, "region", storeNames)).verdict === "met")),
    ...plan.schedules.filter(({ writes }) => writes !== "nothing").map(({ name }) => holds("deadline", name, (larger) => fits(larger, name, rates))),
    ...plan.backends.map(({ name }) => holds("quota", name, (larger) => larger.backends.some((backend) => backend.name === name && storedIn(larger, backend).bytes <= backend.quota))),
  ];
  return limits.toSorted((one, other) => (one.factor ?? Infinity) - (other.factor ?? Infinity));
}

function fits(plan: Plan, name: Schedule["name"], rates: Rates): boolean {
  const schedule = plan.schedules.find((one) => one.name === name);
  return schedule !== undefined && rates.startUp + runTime(plan, schedule, rates) <= schedule.deadline;
}

/** How long a run's data takes from its store to every backend, at the most. */
export function runTime(plan: Plan, schedule: Schedule, rates: Rates = plan.rates): Duration {
  return transferTime(runSize(plan, schedule), rates.upload);
}

/** What a run writes at the most, before compression: of all stores that the schedule backs up. */
export function runSize(plan: Plan, schedule: Schedule): Size {
  if (schedule.name === "agents-checkpoint") return bytes(plan.agents * plan.checkpointSize);
  const stores = plan.stores.filter(({ copies }) => copies.some((copy) => isBackendCopy(copy) && copy.kind === "backup" && copy.schedule === schedule.name));
  return bytes(stores.reduce((sum, store) => sum + bytesPerRun(plan, store, schedule).most, 0));
}

/** To a thousandth, by halving: whatever holds at a size holds below it. */
function lastThatHolds(isKept: (factor: number) => boolean): number | undefined {
  if (isKept(farthest)) return undefined;
  let [low, high] = [0, farthest];
  while (high - low > low / 1_000 + 1e-6) {
    const middle = (low + high) / 2;
    if (isKept(middle)) low = middle;
    else high = middle;
  }
  return low;
}

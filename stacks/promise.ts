import { assess, type Cell, type Judgement } from "../plan/assess.ts";
import type { Plan } from "../plan/types.ts";
import { formatDuration } from "../plan/units.ts";

/** A plan that does not keep what it promises, with every cell that is not met. */
export class BrokenPromiseError extends Error {
  override readonly name = "BrokenPromiseError";
}

/**
 * Proves the plan on paper before anything is declared.
 * @throws BrokenPromiseError that names every store × failure scope, and every tier, that is not met
 */
export function requireKept(plan: Plan): void {
  const { cells, tiers, kept } = assess(plan);
  if (kept) return;
  const unmet = [...cells.flatMap(unmetOf), ...tiers.filter(({ verdict }) => verdict === "not met").map(({ tier, slowest }) => `the tier ${tier}: ${slowest === undefined ? "it brings back nothing" : `${slowest.store} takes ${formatDuration(slowest.recovery.total)}`}`)];
  throw new BrokenPromiseError([`the plan ${plan.name} promises what it cannot keep; nothing is declared:`, ...unmet.map((line) => `  ${line}`), "Change the plan, or accept each by name with a reason (plan/blackroad/accepted.ts); `dr plan` shows the whole table."].join("\n"));
}

const unmetOf = ({ store, scope, rpo, rto }: Cell): readonly string[] => [...unmet(`${store} after the loss of ${scope}: RPO`, rpo), ...unmet(`${store} after the loss of ${scope}: RTO`, rto)];

function unmet(what: string, { objective, predicted, verdict }: Judgement): readonly string[] {
  if (verdict !== "not met") return [];
  return [`${what} ${predicted === undefined ? "has no way back" : formatDuration(predicted)}, promised ${formatDuration(objective)}`];
}

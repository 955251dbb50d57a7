import { storeOf } from "./find.ts";
import { lossOf, logArchiveLoss } from "./loss.ts";
import { damageOf, recoveryTimeOf, walToReplay, type RecoveryTime } from "./recovery-time.ts";
import type { Copy, FailureScope, Plan, Rates, Store, StoreName, Tier, TierTimes } from "./types.ts";
import { addDurations, seconds, transferTime, type Duration, type Size } from "./units.ts";

export interface Prediction {
  readonly rpo: Duration;
  /** `breakdown.total`. */
  readonly rto: Duration;
  readonly breakdown: RecoveryTime;
  /** The copy that it was reckoned for. */
  readonly copy: string;
}

export interface PredictInput {
  readonly store: StoreName;
  readonly scope: FailureScope;
  readonly tier: Tier;
  /** Measured: by an earlier run, or by this run before its disaster. */
  readonly rates: Rates;
  /** PostgreSQL: of the database's files; Redis: of the RDB; else of the data. */
  readonly size: Size;
  /** Measured, PostgreSQL's; default: the most that the plan's daily volume makes since a base backup. */
  readonly walToReplay?: Size;
  /** What stands in for the tier's own times: a drill decides and switches by itself, in no time. */
  readonly times?: Partial<TierTimes>;
  /** Another repository had refused connections for a while before the disaster. Default: no. */
  readonly degraded?: boolean;
  /** What the validation reads, where it reads more or less than `size`; the hot tier validates nothing by default. */
  readonly validated?: Size;
}

/**
 * What a recovery by one tier must lose at the most and take at the most. The same formulas as `assess`, for a run
 * that has measured its rates: additive, so that each part can be held against the step that it predicts.
 * @throws RangeError where the plan has no such store, or the store no copy of that tier
 */
export function predict(plan: Plan, input: PredictInput): Prediction {
  const { rates, size, tier } = input;
  const store = storeOf(plan, input.store);
  if (store === undefined) throw new RangeError(`the plan has no store ${input.store}`);
  const copy = copyOfTier(store, input.scope, tier);
  if (copy === undefined) throw new RangeError(`${input.store} has no copy that the ${tier} tier could use after the failure ${input.scope}`);
  const failure = { scope: input.scope, lost: input.scope };
  const work = { rates, size, wal: input.walToReplay ?? walToReplay(plan, store, rates), times: { ...plan.tiers[tier], ...input.times }, ...damageOf(input.scope) };
  const breakdown = validating(recoveryTimeOf(plan, store, copy, work), input.validated, rates);
  const rpo = copy.kind === "log-archive" ? logArchiveLoss(plan, rates, input.degraded === true) : lossOf(plan, store, copy, failure, rates);
  if (rpo === undefined) throw new RangeError(`${copy.name} holds nothing of ${input.store}`);
  return { rpo, rto: breakdown.total, breakdown, copy: copy.name };
}

function validating(breakdown: RecoveryTime, validated: Size | undefined, rates: Rates): RecoveryTime {
  if (validated === undefined) return breakdown;
  const validate = transferTime(validated, rates.validate);
  return { ...breakdown, validate, total: addDurations(seconds(breakdown.total - breakdown.validate), validate) };
}

/** Hot: the replica that a failure of this scope leaves, near ones first. Warm: the log archive, or else a backup. */
function copyOfTier(store: Store, scope: FailureScope, tier: Tier): Copy | undefined {
  if (tier === "hot") {
    const original = store.copies.find((copy) => copy.kind === "original");
    const replicas = store.copies.filter((copy) => copy.kind === "replica" && (scope === "process" || copy.region !== original?.region));
    return scope === "process" || scope === "region" ? replicas[0] : undefined;
  }
  return store.copies.find((copy) => copy.kind === "log-archive") ?? store.copies.find((copy) => copy.kind === "backup");
}

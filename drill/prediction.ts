import { predict } from "../plan/predict.ts";
import type { FailureScope, Plan, Rates, StoreName, Tier } from "../plan/types.ts";
import type { RecoveryTime } from "../plan/recovery-time.ts";
import { formatDuration, seconds, type Size } from "../plan/units.ts";
import type { PredictedFigures } from "./recorder.ts";

/** A store as it was measured before the disaster. */
export interface KnownStore {
  readonly store: StoreName;
  /** What a restore moves, in bytes. */
  readonly size: Size;
  /** WAL since the newest base backup, in bytes; PostgreSQL only. */
  readonly wal?: Size;
  /** What the drill's own row-by-row check of this store took before the disaster, in seconds. */
  readonly checkSeconds: number;
}

export interface PredictionInput {
  readonly plan: Plan;
  readonly scope: FailureScope;
  readonly tier: Tier;
  readonly rates: Rates;
  /** In the order in which they are recovered. */
  readonly stores: readonly KnownStore[];
  /** Until the drill's own probes know that production is gone, in seconds; the hot tier detects by itself. */
  readonly detectSeconds: number;
  /** Until there is a place to recover into, in seconds, at the most. */
  readonly provisionSeconds: number;
  /** From the start of a `dr` process to its first look at the catalog, in seconds, as measured. */
  readonly startSeconds: number;
  /** Whether a repository was dead before the disaster. */
  readonly degraded: boolean;
  /** Whether the stores are recovered one after the other, each checked while the next is recovered (warm), or each by
   * itself at once and checked as if one after the other, which is the most that it takes (hot). */
  readonly oneAfterAnother: boolean;
}

/** How much slower than their rehearsal the tools may be: through gateways, with nothing in any cache. */
const toolMargin = 1.5;
/** How much slower than the plan's bound a promotion may be, on a machine that also plays every other region. */
const failoverMargin = 1.25;
/** How much slower than its rehearsal a check may be: the machine is also busy with the recovery's own servers. */
const checkMargin = 1.5;

/**
 * What the scaled plan promises and predicts for each store of a run: the assessment's own formulas, with the rates
 * that the verification of these backups measured. Nobody decides in a drill.
 */
export function predictRun(input: PredictionInput): Map<string, PredictedFigures> {
  const figures = new Map<string, PredictedFigures>();
  let before = { recovered: 0, checked: 0 };
  for (const known of input.stores) {
    const { plan, scope, tier, rates } = input;
    const prediction = predict(plan, {
      store: known.store,
      scope,
      tier,
      rates,
      size: known.size,
      ...(known.wal === undefined ? {} : { walToReplay: known.wal }),
      times: { detect: seconds(tier === "hot" ? 0 : input.detectSeconds), decide: seconds(0), provision: seconds(tier === "hot" ? 0 : input.provisionSeconds), switchOver: seconds(0) },
      degraded: input.degraded,
    });
    const { breakdown } = prediction;
    const work = breakdown.fetch + breakdown.replay + (tier === "hot" ? 0 : input.startSeconds);
    const waits = prediction.rto - breakdown.validate - breakdown.fetch - breakdown.replay;
    const check = known.checkSeconds * checkMargin;
    const isNext = input.oneAfterAnother && before.recovered > 0;
    const recovered = (isNext ? before.recovered : waits) + work * (tier === "hot" ? failoverMargin : toolMargin);
    const rto = (input.oneAfterAnother ? recovered : Math.max(recovered, before.checked)) + check;
    before = { recovered, checked: rto };
    const store = plan.stores.find(({ name }) => name === known.store);
    const objective = { rpo: store === undefined ? 0 : plan.categories[store.category].rpo, rto: plan.tiers[tier].rto };
    figures.set(known.store, {
      rpo: { objective: objective.rpo, predicted: prediction.rpo, ...acceptedFor(input, known.store, "rpo"), basis: prediction.copy },
      rto: { objective: objective.rto, predicted: rto, ...acceptedFor(input, known.store, "rto"), basis: words(prediction.breakdown, check) },
    });
  }
  return figures;
}

function acceptedFor({ plan, scope }: PredictionInput, store: StoreName, what: "rpo" | "rto"): { accepted?: { upTo: number; reason: string } } {
  const found = plan.accepted.find((one) => one.store === store && one.scope === scope && one.what === what);
  return found === undefined ? {} : { accepted: { upTo: found.upTo, reason: found.reason } };
}

function words(parts: RecoveryTime, check: number): string {
  const { detect, decide, provision, fetch, replay, switchOver } = parts;
  const named = Object.entries({ detect, decide, provision, fetch, replay, "switch over": switchOver, check });
  return named.flatMap(([name, value]) => (value > 0 ? [`${name} ${formatDuration(value)}`] : [])).join(" + ");
}

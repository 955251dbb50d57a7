import { backendOf, isBackendCopy, isOriginal } from "./find.ts";
import { lossOf } from "./loss.ts";
import { damageOf, recoveryTimeOf, walToReplay, type RecoveryTime } from "./recovery-time.ts";
import { failuresOf, hasServersLeft, survives, type Failure } from "./survival.ts";
import { failureScopes, tiers, type Acceptance, type Copy, type FailureScope, type Objective, type Plan, type Rates, type Store, type StoreName, type Tier } from "./types.ts";
import { bytes, seconds, type Duration, type Size } from "./units.ts";

/** One way to bring a store back after a failure. */
export interface Option {
  readonly copy: string;
  readonly tier: Tier;
  /** What failed that leaves this way open. */
  readonly lost: string;
  /** The most data lost, as time. */
  readonly loss: Duration;
  readonly recovery: RecoveryTime;
}

export type Verdict = "met" | "accepted" | "not met";

export interface Judgement {
  readonly objective: Duration;
  /** `undefined`: there is no way back. */
  readonly predicted: Duration | undefined;
  readonly verdict: Verdict;
  readonly accepted?: Acceptance;
}

/** A store after a failure: every way back, the one to take, and what the objectives say to it. */
export interface Cell {
  readonly store: StoreName;
  readonly scope: FailureScope;
  readonly options: readonly Option[];
  /** The best way back from the worst failure of the scope. */
  readonly best: Option | undefined;
  readonly rpo: Judgement;
  readonly rto: Judgement;
}

/** Whether a tier brings back every store that it covers in its own time, after the loss of the region. */
export interface TierPromise {
  readonly tier: Tier;
  readonly objective: Duration;
  /** The slowest store's fastest way; `undefined`: the tier covers no store. */
  readonly slowest: { readonly store: StoreName; readonly copy: string; readonly recovery: RecoveryTime } | undefined;
  readonly verdict: "met" | "not met";
}

export interface Assessment {
  readonly plan: string;
  /** Where the rates come from. */
  readonly source: string;
  readonly cells: readonly Cell[];
  readonly tiers: readonly TierPromise[];
  /** False where a cell or a tier is not met and nobody accepted it. */
  readonly kept: boolean;
}

/** What is known better than the plan assumes. */
export interface Given {
  readonly rates?: Rates;
  readonly sizes?: Partial<Record<StoreName, Size>>;
  /** WAL to replay beyond what the plan's daily volume makes. */
  readonly extraWal?: Size;
}

/** Proves the plan on paper: every store after every failure, against its objectives. */
export function assess(plan: Plan, given: Given = {}): Assessment {
  const cells = plan.stores.flatMap((store) => failureScopes.map((scope) => assessCell(plan, store, scope, given)));
  const promises = tiers.map((tier) => promiseOf(plan, tier, cells));
  const kept = cells.every((cell) => cell.rpo.verdict !== "not met" && cell.rto.verdict !== "not met") && promises.every((promise) => promise.verdict === "met");
  return { plan: plan.name, source: (given.rates ?? plan.rates).source, cells, tiers: promises, kept };
}

/** RPO from the store's category, RTO from the system: a store is back when the service is. */
export function objectiveOf(plan: Plan, store: Store): Objective {
  return { rpo: plan.categories[store.category].rpo, rto: plan.system.rto };
}

/** The verdict on one figure; a prediction may miss its objective by rounding, not by more. */
export function judge(objective: Duration, predicted: Duration | undefined, accepted: Acceptance | undefined): Judgement {
  const within = (bound: Duration): boolean => predicted !== undefined && predicted <= bound + 1e-6;
  if (within(objective)) return { objective, predicted, verdict: "met" };
  if (accepted !== undefined && within(accepted.upTo)) return { objective, predicted, verdict: "accepted", accepted };
  return { objective, predicted, verdict: "not met" };
}

type Bounds = Readonly<Record<"rpo" | "rto", { readonly objective: Duration; readonly accepted: Acceptance | undefined }>>;

/** One store after one failure. */
export function assessCell(plan: Plan, store: Store, scope: FailureScope, given: Given): Cell {
  const objective = objectiveOf(plan, store);
  const accepted = (what: "rpo" | "rto"): Acceptance | undefined => plan.accepted.find((one) => one.store === store.name && one.scope === scope && one.what === what);
  const bounds = { rpo: { objective: objective.rpo, accepted: accepted("rpo") }, rto: { objective: objective.rto, accepted: accepted("rto") } };
  const ways = failuresOf(plan, scope).map((failure) => optionsOf(plan, store, failure, given).toSorted(byMerit(bounds)));
  const bests = ways.map((options) => options[0]);
  return {
    store: store.name,
    scope,
    options: ways.flat(),
    best: bests.includes(undefined) ? undefined : bests.filter((option) => option !== undefined).toSorted(byMerit(bounds)).at(-1),
    rpo: judge(objective.rpo, worstOf(bests, (option) => option.loss), bounds.rpo.accepted),
    rto: judge(objective.rto, worstOf(bests, (option) => option.recovery.total), bounds.rto.accepted),
  };
}

/** The greatest figure; `undefined` where one of the failures leaves no way back. */
function worstOf(options: readonly (Option | undefined)[], figure: (option: Option) => Duration): Duration | undefined {
  const figures = options.map((option) => (option === undefined ? undefined : figure(option)));
  if (figures.includes(undefined) || figures.length === 0) return undefined;
  return seconds(Math.max(...figures.filter((value) => value !== undefined)));
}

/** What leaves fewer promises unmet comes first, then what loses less, then what is quicker. */
function byMerit({ rpo, rto }: Bounds): (a: Option, b: Option) => number {
  const isMissed = ({ objective, accepted }: Bounds["rpo"], value: Duration): boolean => judge(objective, value, accepted).verdict === "not met";
  const missed = (option: Option): number => Number(isMissed(rpo, option.loss)) + Number(isMissed(rto, option.recovery.total));
  return (a, b) => missed(a) - missed(b) || a.loss - b.loss || a.recovery.total - b.recovery.total;
}

function optionsOf(plan: Plan, store: Store, failure: Failure, given: Given): readonly Option[] {
  const rates = given.rates ?? plan.rates;
  const size = given.sizes?.[store.name] ?? store.expectedSize;
  const wal = bytes(walToReplay(plan, store, rates) + (given.extraWal ?? 0));
  return store.copies
    .filter((copy) => survives(plan, store, copy, failure))
    .flatMap((copy): readonly Option[] => {
      const loss = lossOf(plan, store, copy, failure, rates);
      if (loss === undefined) return [];
      return tiersOf(plan, copy, failure).map((tier) => {
        const recovery = recoveryTimeOf(plan, store, copy, { rates, size, wal, times: plan.tiers[tier], ...damageOf(failure.scope) });
        return { copy: copy.name, tier, lost: failure.lost, loss, recovery };
      });
    });
}

/** A replica is hot, an object store warm where servers of the plan are left and cold always, an archive cold. */
function tiersOf(plan: Plan, copy: Copy, failure: Failure): readonly Tier[] {
  if (isOriginal(copy) || copy.kind === "replica") return ["hot"];
  const isArchive = isBackendCopy(copy) && backendOf(plan, copy.backend)?.role === "archive";
  return isArchive || !hasServersLeft(plan, failure) ? ["cold"] : ["warm", "cold"];
}

/** Of a tier; `cells` are those of the loss of the region, others are not looked at. */
export function promiseOf(plan: Plan, tier: Tier, cells: readonly Cell[]): TierPromise {
  const objective = plan.tiers[tier].rto;
  const fastest = cells
    .filter((cell) => cell.scope === "region")
    .flatMap((cell) => {
      const option = cell.options.filter((one) => one.tier === tier && one.recovery.total > 0).toSorted((a, b) => a.recovery.total - b.recovery.total)[0];
      return option === undefined ? [] : [{ store: cell.store, copy: option.copy, recovery: option.recovery }];
    });
  const slowest = fastest.toSorted((a, b) => b.recovery.total - a.recovery.total)[0];
  return { tier, objective, slowest, verdict: slowest !== undefined && slowest.recovery.total <= objective + 1e-6 ? "met" : "not met" };
}

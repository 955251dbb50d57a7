import type { FailureScope, Tier } from "../plan/types.ts";
import type { Progress } from "../runner/context.ts";
import { messageOf } from "../runner/errors.ts";
import type { DrillRun, Evidence, Figure, ObjectiveRow, StoreResult } from "./report/model.ts";
import { complaintsOf } from "./report/verdict.ts";
import { Steps } from "./steps.ts";
import type { LagSummary } from "./workload/measure.ts";

/** What was predicted for a store before the disaster struck. */
export interface PredictedFigures {
  readonly rpo: Omit<Figure, "measured">;
  readonly rto: Omit<Figure, "measured">;
}

/** Gathers what one run of a scenario, in one tier, showed; the report's entry is made from it in the end. */
export class RunRecorder {
  readonly scenario: string;
  readonly tier: Tier;
  readonly scope: FailureScope;
  readonly steps: Steps;
  private readonly faults: { at: number; what: string }[] = [];
  private readonly evidence: Evidence[] = [];
  private readonly integrity: { what: string; where: string }[] = [];
  private readonly stores: StoreResult[] = [];
  private readonly predicted = new Map<string, PredictedFigures>();
  private struckAt: Date | undefined;
  private detect: number | null = null;
  private decide: number | null = null;
  private source = "";
  private agents = { expected: 0, recovered: 0 };
  private lag: LagSummary | null = null;
  private failure: string | null = null;

  constructor(scenario: string, scope: FailureScope, tier: Tier, report: (progress: Progress) => void) {
    this.scenario = scenario;
    this.scope = scope;
    this.tier = tier;
    this.steps = new Steps(new Date(), report);
  }

  /** The moment from which RPO and RTO count. */
  get disasterAt(): Date {
    if (this.struckAt === undefined) throw new RangeError("the disaster has not struck yet");
    return this.struckAt;
  }

  /** Plays a fault and remembers when it struck: before the first signal is sent, so that no second is given away. */
  async strike(what: string, fault: () => Promise<void>): Promise<void> {
    const at = new Date();
    this.struckAt ??= at;
    this.faults.push({ at: this.offset(at), what });
    await this.steps.step("disaster", what, fault);
  }

  predict(source: string, figures: ReadonlyMap<string, PredictedFigures>): void {
    this.source = source;
    for (const [store, figure] of figures) this.predicted.set(store, figure);
  }

  detected(at: Date): void {
    this.detect = this.sinceDisaster(at);
    this.decide = 0; // a drill decides at once; the plan's own figure for people is in `dr plan`
  }

  show(what: string, value: string, ok: boolean): void {
    this.evidence.push({ what, value, ok });
  }

  find(what: string, where: string): void {
    this.integrity.push({ what, where });
  }

  recovered(result: Omit<StoreResult, "rtoSeconds">, validatedAt: Date): void {
    this.stores.push({ ...result, rtoSeconds: this.sinceDisaster(validatedAt) });
  }

  countAgents(expected: number, recovered: number): void {
    this.agents = { expected, recovered };
  }

  sampledLag(summary: LagSummary | undefined): void {
    this.lag = summary ?? null;
  }

  fail(error: unknown): void {
    this.failure ??= messageOf(error);
  }

  private offset(at: Date): number {
    return Math.max(0, (at.getTime() - this.steps.startedAt.getTime()) / 1_000);
  }

  private sinceDisaster(at: Date): number {
    return Math.max(0, (at.getTime() - this.disasterAt.getTime()) / 1_000);
  }

  private objectives(): ObjectiveRow[] {
    return [...this.predicted].map(([store, { rpo, rto }]) => {
      const seen = this.stores.find((result) => result.store === store);
      return { store, scope: this.scope, rpo: { ...rpo, measured: seen?.rpoSeconds ?? null }, rto: { ...rto, measured: seen?.rtoSeconds ?? null } };
    });
  }

  /** The report's entry; passed where nothing speaks against it. */
  toRun(): DrillRun {
    const run: DrillRun = {
      scenario: this.scenario,
      tier: this.tier,
      faults: this.faults.map(({ what }) => what),
      passed: false,
      rtoSeconds: Math.max(0, ...this.stores.map(({ rtoSeconds }) => rtoSeconds)),
      stores: this.stores,
      objectives: this.objectives(),
      steps: [...this.steps.all],
      agents: this.agents,
      startedAt: this.steps.startedAt.toISOString(),
      faultLog: this.faults,
      disasterAt: this.struckAt === undefined ? null : this.offset(this.struckAt),
      detectSeconds: this.detect,
      decideSeconds: this.decide,
      predictions: { source: this.source },
      evidence: this.evidence,
      integrity: this.integrity,
      replicationLag: this.lag,
      error: this.failure,
    };
    return { ...run, passed: this.stores.length > 0 && complaintsOf(run).length === 0 };
  }
}

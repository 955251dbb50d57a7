/** The plan of a recovery of the whole system (R2), shown before anything is done. Pure. */
import type { Plan, Rates, Tier } from "../../../plan/types.ts";
import { bytes, formatDuration, formatSize, transferTime } from "../../../plan/units.ts";
import type { FullRecoveryConfig } from "./config.ts";
import type { StoreSource, SystemSources } from "./sources.ts";

export interface PlannedStep {
  readonly name: string;
  readonly what: string;
  /** Seconds; absent where nothing is known of it. */
  readonly estimate?: number;
  /** ISO 8601; what was written later is lost. */
  readonly reachesTo?: string;
  /** Seconds before now. */
  readonly loss?: number;
}

export interface FullRecoveryPlan {
  readonly point?: string;
  readonly tier: Tier;
  /** In the order in which they are done (R1). */
  readonly steps: readonly PlannedStep[];
  /** Seconds, of the steps that are known. */
  readonly estimate: { readonly total: number; readonly source: string };
  /** Seconds that the tier allows. */
  readonly objective: number;
  readonly notes: readonly string[];
}

export interface FullPlanInput {
  readonly plan: Plan;
  /** Of the newest verifications. */
  readonly rates: Rates;
  readonly now: Date;
  readonly tier: Tier;
  readonly sources: SystemSources;
  readonly config: FullRecoveryConfig;
  /** Seconds that PostgreSQL's own plan reckons with, and where it comes from; absent where it is not recovered. */
  readonly postgres?: { readonly estimate: number; readonly loss?: number; readonly notes: readonly string[] };
}

export function fullRecoveryPlan(input: FullPlanInput): FullRecoveryPlan {
  const { tier, sources, config, plan, rates } = input;
  const { infrastructure, services, health } = config;
  const steps: PlannedStep[] = [
    ...(tier === "cold" && infrastructure !== undefined ? [{ name: "infrastructure", what: `pulumi up of ${infrastructure.stacks.join(", ")}, one after the other`, estimate: plan.tiers.cold.provision }] : []),
    ...(services === undefined ? [] : [{ name: "stop", what: `${services.deployments.map(({ name }) => name).join(", ")}: what would work on data that is about to be replaced` }]),
    ...sources.stores.flatMap((source) => [storeStep(source, input), ...(source.store === "vault" ? [{ name: "unseal", what: "with the keys at hand; where people have them, it waits for another start" }] : [])]),
    { name: "validate", what: "no agent's working memory is ahead of its row; vectors and secrets can be read", estimate: validationTime(sources.stores, rates) },
    ...(services === undefined ? [] : [{ name: "services", what: services.deployments.map(({ name, replicas }) => `${name} × ${replicas}`).join(", ") }]),
    ...(health.length === 0 ? [] : [{ name: "health", what: health.map(({ name }) => name).join(", ") }]),
  ];
  const total = steps.reduce((sum, { estimate = 0 }) => sum + estimate, 0);
  return { ...(sources.point === undefined ? {} : { point: sources.point }), tier, steps, estimate: { total, source: rates.source }, objective: plan.tiers[tier].rto, notes: [...sources.notes, ...(input.postgres?.notes ?? []), ...missingParts(config, tier)] };
}

function storeStep({ store, backup, restorePoint, reachesTo, bytes: size }: StoreSource, { now, rates, postgres }: FullPlanInput): PlannedStep {
  const what = `${backup}${restorePoint === undefined ? "" : `, replayed to ${restorePoint}`}${reachesTo === undefined ? ", replayed to the archive's end" : ""} (${formatSize(size)})`;
  const loss = reachesTo === undefined ? postgres?.loss : Math.max(0, (now.getTime() - Date.parse(reachesTo)) / 1_000);
  const estimate = store === "postgres" ? postgres?.estimate : rates.startUp + transferTime(bytes(size), rates.download) + transferTime(bytes(size), store === "redis" ? rates.redisLoad : rates.upload);
  return { name: store, what, ...(estimate === undefined ? {} : { estimate }), ...(reachesTo === undefined ? {} : { reachesTo }), ...(loss === undefined ? {} : { loss }) };
}

const validationTime = (stores: readonly StoreSource[], rates: Rates): number => stores.reduce((sum, { bytes: size }) => sum + transferTime(bytes(size), rates.validate), 0);

function missingParts({ infrastructure, services, health }: FullRecoveryConfig, tier: Tier): string[] {
  return [
    ...(tier === "cold" && infrastructure === undefined ? ["the configuration names no stacks (`recover.infrastructure`): the infrastructure must be there"] : []),
    ...(services === undefined ? ["the configuration names no services (`recover.services`): start them yourself when this has ended well"] : []),
    ...(health.length === 0 ? ["the configuration names no health checks (`recover.health`)"] : []),
  ];
}

export function renderFullPlan(plan: FullRecoveryPlan): string {
  const { estimate, objective } = plan;
  const lines = plan.steps.map(({ name, what, estimate: seconds, reachesTo, loss }, index) =>
    [
      `${index + 1}. ${name.padEnd(14)} ${what}`,
      ...(seconds === undefined ? [] : [`about ${formatDuration(seconds)}`]),
      ...(reachesTo === undefined ? [] : [`reaches to ${reachesTo}`]),
      ...(loss === undefined ? [] : [`loses the last ${formatDuration(loss)}`]),
    ].join("; "),
  );
  return [
    plan.point === undefined ? "the newest backup of each store" : `recovery point ${plan.point}`,
    ...lines,
    `estimate  ${formatDuration(estimate.total)} (${estimate.source}); the ${plan.tier} tier allows ${formatDuration(objective)}${estimate.total > objective ? ", WHICH THE ESTIMATE EXCEEDS" : ""}`,
    ...plan.notes.map((note) => `note      ${note}`),
  ].join("\n");
}

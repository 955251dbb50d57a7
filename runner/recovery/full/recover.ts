/** Recovery of the whole system: in R1's order, each step timed, gone on with where it stopped. */
import type { Tier } from "../../../plan/types.ts";
import { DrError, kindOf, messageOf } from "../../errors.ts";
import type { RunContext } from "../../context.ts";
import { forgetPlan, planRecovery } from "../../stores/postgres/recover.ts";
import { ratesFromRecords } from "../../verification-rates.ts";
import type { FullRecoveryConfig } from "./config.ts";
import { alone, Journal } from "./journal.ts";
import { fullRecoveryPlan, type FullPlanInput, type FullRecoveryPlan } from "./plan.ts";
import { chooseSources, type FullStore, type SystemSources } from "./sources.ts";
import { carryOut, stepsOf, type DoneStep } from "./steps.ts";
import { postgresOptions } from "./stores.ts";
import { checkTarget, placesIn, stands, type Places } from "./targets.ts";

export interface FullRecoveryOptions {
  /** Folder below which the recovered servers' files go; the journal is there too. */
  readonly into: string;
  /** Nothing committed later is wanted. Default: the newest. */
  readonly at?: Date;
  readonly tier: Tier;
  readonly newestPerStore: boolean;
  readonly without: readonly FullStore[];
  readonly backend?: string;
  /** Replace what the targets hold. */
  readonly force: boolean;
  /** Forget an earlier recovery into the same folder that did not come to its end. */
  readonly restart: boolean;
}

export interface FullRecovery {
  readonly plan: FullRecoveryPlan;
  readonly steps: readonly DoneStep[];
  /** From the first run's beginning to now, in seconds. */
  readonly seconds: number;
  /** The journal, which stays as the incident's document. */
  readonly journal: string;
}

const none: FullRecoveryConfig = { health: [] };

/** Says what would be done, and does nothing. */
export async function planFullRecovery(context: RunContext, options: FullRecoveryOptions): Promise<FullRecoveryPlan> {
  const earlier = options.restart ? undefined : await Journal.read(options.into);
  if (earlier !== undefined) refuseOther(earlier, options);
  const { plan, refusals } = await prepare(context, options, earlier);
  return { ...plan, notes: [...plan.notes, ...refusals.map((refusal) => `as it is now, it would not begin: ${messageOf(refusal)}`)] };
}

/**
 * Recovers the whole system. Started again with the same request it goes on: what is done and still stands is kept, the
 * step that was broken off begins anew. Services start only when the data was found to fit together.
 * @throws DrError of the step that failed; the journal tells what was done before it. Where a target holds anything, or
 * PostgreSQL cannot be recovered from anywhere, before anything is done.
 */
export async function recoverFull(context: RunContext, options: FullRecoveryOptions, onPlan: (plan: FullRecoveryPlan) => void = () => undefined): Promise<FullRecovery> {
  return alone(options.into, async () => {
    const earlier = options.restart ? undefined : await Journal.read(options.into);
    if (earlier !== undefined) refuseOther(earlier, options);
    const { sources, plan, refusals } = await prepare(context, options, earlier);
    onPlan(plan);
    if (refusals.length > 0) throw refusals[0];
    if (options.restart) await Journal.abandon(options.into, context.clock.now());
    const journal = earlier ?? (await Journal.begin(options.into, { startedAt: context.clock.now().toISOString(), sources: { ...sources, stores: [...sources.stores], notes: [...sources.notes] }, asked: asked(options) }));
    const steps: DoneStep[] = [];
    for (const step of stepsOf(context, options, sources, journal)) steps.push(await carryOut(context, journal, step));
    return { plan, steps, seconds: (context.clock.now().getTime() - journal.startedAt.getTime()) / 1_000, journal: await journal.close() };
  });
}

interface Prepared {
  readonly sources: SystemSources;
  readonly plan: FullRecoveryPlan;
  /** Why it must not begin: half way through is too late. */
  readonly refusals: readonly unknown[];
}

async function prepare(context: RunContext, options: FullRecoveryOptions, earlier: Journal | undefined): Promise<Prepared> {
  const { plan, clock, config, catalog } = context;
  const { records } = await catalog.list();
  const { at, backend, newestPerStore, without, tier } = options;
  const sources = earlier?.sources ?? chooseSources(records, { now: clock.now(), newestPerStore, without, ...(at === undefined ? {} : { at }), ...(backend === undefined ? {} : { backend }) });
  refuseWithoutTarget(context, sources);
  const postgres = await postgresPart(context, options, sources, earlier);
  const refusals = [...(await takenTargets(context, options, sources, earlier)), ...(postgres.refusal === undefined ? [] : [postgres.refusal])];
  return { sources, refusals, plan: fullRecoveryPlan({ plan, rates: ratesFromRecords(records, plan.rates), now: clock.now(), tier, sources, config: config.recover ?? none, ...(postgres.plan === undefined ? {} : { postgres: postgres.plan }) }) };
}

function refuseWithoutTarget({ config }: RunContext, { stores }: SystemSources): void {
  const missing = stores.filter(({ store }) => (store === "vault" && config.vault?.server === undefined) || (store === "vectors" && config.vectors === undefined)).map(({ store }) => store);
  if (missing.length > 0) throw new DrError({ kind: "usage", what: `the configuration names no server that gets ${missing.join(" and ")}`, where: "the configuration", todo: `Add ${missing.map((store) => `\`${store}\``).join(" and ")}, or leave it out with --without ${missing.join(" ")}.` });
}

/** Servers that the infrastructure's step brings up cannot be asked before it; their own step asks them. */
const comesUp = ({ config }: RunContext, { tier }: FullRecoveryOptions): boolean => tier === "cold" && config.recover?.infrastructure !== undefined;

/** What is in the way of the stores that no attempt has begun with, and of those that services have worked on since. */
async function takenTargets(context: RunContext, options: FullRecoveryOptions, { stores }: SystemSources, earlier: Journal | undefined): Promise<unknown[]> {
  const refusals: unknown[] = [];
  const places = placesIn(options.into);
  for (const source of stores) {
    const { store } = source;
    if (earlier?.has(store) === true) {
      if (earlier.has("services") && !(await stands(context, source, places))) refusals.push(inUse(earlier, store, places));
      continue; // else what an attempt left is ours
    }
    await checkTarget(context, { source, places, force: options.force }).catch((error: unknown) => {
      context.signal.throwIfAborted();
      if (!(comesUp(context, options) && kindOf(error) === "unavailable")) refusals.push(error);
    });
  }
  return refusals;
}

/** What services have written since they were started again is in no backup. */
function inUse({ folder }: Journal, store: FullStore, { postgres, redis }: Places): DrError {
  const start = { postgres: `\`pg_ctl start -D ${postgres.dataDirectory}\``, redis: `\`redis-server ${redis.directory}/redis.conf\``, vault: "its server", vectors: "its servers" }[store];
  return new DrError({ kind: "refused", what: `the recovered ${store} does not answer any more, and services have worked on it since it was recovered: to recover it anew would lose what they wrote`, where: folder, todo: `Start it (${start}), then start this again; or, if that may be lost, start over with --restart --force.` });
}

interface PostgresPart {
  /** Absent where nothing is known of it. */
  readonly plan?: NonNullable<FullPlanInput["postgres"]>;
  readonly refusal?: unknown;
}

/** PostgreSQL's own plan, where the repositories can be looked at now. */
async function postgresPart(context: RunContext, options: FullRecoveryOptions, { stores }: SystemSources, earlier: Journal | undefined): Promise<PostgresPart> {
  const source = stores.find(({ store }) => store === "postgres");
  if (source === undefined || earlier?.stepOf("postgres")?.result !== undefined) return {};
  const { backend } = options;
  // What is in its directory is looked at by itself; what an attempt left there is in the way of a plan only.
  const planned = await planRecovery(context, { ...postgresOptions({ source, places: placesIn(options.into), ...(backend === undefined ? {} : { backend }) }), force: true }).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return error instanceof Error ? error : new Error(messageOf(error));
  });
  if (planned instanceof Error) return earlier?.has("postgres") === true || comesUp(context, options) ? { plan: { estimate: 0, notes: [`PostgreSQL cannot be planned yet: ${planned.message}`] } } : { refusal: planned };
  await forgetPlan(planned);
  const [best] = planned.candidates;
  if (best === undefined) throw new RangeError("a planned recovery has a repository");
  const { estimate, expectedLoss, notes } = best.plan;
  return { plan: { estimate: estimate.total, notes: notes.map((note) => `PostgreSQL: ${note}`), ...(expectedLoss.seconds === undefined ? {} : { loss: expectedLoss.seconds }) } };
}

/** What makes two requests the same; which recovery point it is was decided by the first. */
const asked = ({ at, newestPerStore, without, tier, backend }: FullRecoveryOptions): string => JSON.stringify({ at: at?.toISOString() ?? null, newestPerStore, without, tier, backend: backend ?? null });

function refuseOther(journal: Journal, options: FullRecoveryOptions): void {
  if (journal.asked === asked(options)) return;
  throw new DrError({ kind: "refused", what: `another recovery into this folder did not come to its end (${journal.sources.point ?? "newest of each store"}, begun ${journal.startedAt.toISOString()})`, where: options.into, todo: "Ask for the same again and it goes on; or start over with --restart --force, or name another folder." });
}

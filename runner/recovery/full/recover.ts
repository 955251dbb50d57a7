/** Recovery of the whole system: in R1's order, each step timed, gone on with where it stopped. */
import type { Tier } from "../../../plan/types.ts";
import { messageOf, DrError } from "../../errors.ts";
import type { RunContext } from "../../context.ts";
import { forgetPlan, planRecovery } from "../../stores/postgres/recover.ts";
import { ratesFromRecords } from "../../verification-rates.ts";
import type { FullRecoveryConfig } from "./config.ts";
import { bringUp } from "./infrastructure.ts";
import { alone, Journal } from "./journal.ts";
import { fullRecoveryPlan, type FullRecoveryPlan } from "./plan.ts";
import { checkHealth, startServices, stopServices } from "./services.ts";
import { chooseSources, type FullStore, type SystemSources } from "./sources.ts";
import { placesIn, postgresOptions, recoverStore, stands } from "./stores.ts";
import { validate } from "./validate.ts";

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

export interface DoneStep {
  readonly name: string;
  /** `kept`: an earlier run had done it, and it still stands. */
  readonly outcome: "done" | "kept";
  readonly seconds: number;
  readonly result: string;
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
  return (await prepare(context, options, earlier?.sources)).plan;
}

/**
 * Recovers the whole system. Started again with the same request it goes on: what is done and still stands is kept, the
 * step that was broken off begins anew. Services start only when the data was found to fit together.
 * @throws DrError of the step that failed; the journal tells what was done before it
 */
export async function recoverFull(context: RunContext, options: FullRecoveryOptions, onPlan: (plan: FullRecoveryPlan) => void = () => undefined): Promise<FullRecovery> {
  return alone(options.into, async () => {
    const earlier = options.restart ? undefined : await Journal.read(options.into);
    if (earlier !== undefined) refuseOther(earlier, options);
    const { sources, plan } = await prepare(context, options, earlier?.sources);
    onPlan(plan);
    const journal = earlier ?? (await Journal.begin(options.into, { startedAt: context.clock.now().toISOString(), sources: { ...sources, stores: [...sources.stores], notes: [...sources.notes] }, asked: asked(options) }));
    const steps: DoneStep[] = [];
    for (const step of stepsOf(context, options, sources, journal)) steps.push(await carryOut(context, journal, step));
    return { plan, steps, seconds: (context.clock.now().getTime() - journal.startedAt.getTime()) / 1_000, journal: await journal.close() };
  });
}

interface Prepared {
  readonly sources: SystemSources;
  readonly plan: FullRecoveryPlan;
}

async function prepare(context: RunContext, options: FullRecoveryOptions, earlier: SystemSources | undefined): Promise<Prepared> {
  const { plan, clock, config, catalog } = context;
  const { records } = await catalog.list();
  const { at, backend, newestPerStore, without, tier } = options;
  const sources = earlier ?? chooseSources(records, { now: clock.now(), newestPerStore, without, ...(at === undefined ? {} : { at }), ...(backend === undefined ? {} : { backend }) });
  refuseWithoutTarget(context, sources);
  const postgres = await postgresPart(context, options, sources);
  return { sources, plan: fullRecoveryPlan({ plan, rates: ratesFromRecords(records, plan.rates), now: clock.now(), tier, sources, config: config.recover ?? none, ...(postgres === undefined ? {} : { postgres }) }) };
}

/** Found out before anything is done: half way through is too late. */
function refuseWithoutTarget({ config }: RunContext, { stores }: SystemSources): void {
  const missing = stores.filter(({ store }) => (store === "vault" && config.vault?.server === undefined) || (store === "vectors" && config.vectors === undefined)).map(({ store }) => store);
  if (missing.length > 0) throw new DrError({ kind: "usage", what: `the configuration names no server that gets ${missing.join(" and ")}`, where: "the configuration", todo: `Add ${missing.map((store) => `\`${store}\``).join(" and ")}, or leave it out with --without ${missing.join(" ")}.` });
}

/** PostgreSQL's own plan, where the repositories can be looked at now; the step itself says why they cannot. */
async function postgresPart(context: RunContext, options: FullRecoveryOptions, { stores }: SystemSources) {
  const source = stores.find(({ store }) => store === "postgres");
  if (source === undefined) return undefined;
  const { backend } = options;
  // Where an earlier attempt left its files, they are in the way of a plan, and not of the recovery.
  const planned = await planRecovery(context, { ...postgresOptions({ source, places: placesIn(options.into), ...(backend === undefined ? {} : { backend }) }), force: true }).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return messageOf(error);
  });
  if (typeof planned === "string") return { estimate: 0, notes: [`PostgreSQL cannot be planned yet: ${planned}`] };
  await forgetPlan(planned);
  const [best] = planned.candidates;
  if (best === undefined) throw new RangeError("a planned recovery has a repository");
  const { estimate, expectedLoss, notes } = best.plan;
  return { estimate: estimate.total, notes: notes.map((note) => `PostgreSQL: ${note}`), ...(expectedLoss.seconds === undefined ? {} : { loss: expectedLoss.seconds }) };
}

interface Step {
  readonly name: string;
  readonly work: () => Promise<string>;
  /** Whether what an earlier run did still stands. Default: it does. */
  readonly stands?: () => Promise<boolean>;
}

function stepsOf(context: RunContext, options: FullRecoveryOptions, { stores }: SystemSources, journal: Journal): readonly Step[] {
  const { infrastructure, services, health } = context.config.recover ?? none;
  const places = placesIn(options.into);
  const { force, backend } = options;
  return [
    ...(options.tier === "cold" && infrastructure !== undefined ? [{ name: "infrastructure", work: () => bringUp(context, infrastructure) }] : []),
    ...(services === undefined ? [] : [{ name: "stop", work: () => stopServices(context, services) }]),
    ...stores.map((source): Step => ({
      name: source.store,
      work: () => recoverStore(context, { source, places, force, again: journal.steps.filter(({ name }) => name === source.store).length > 1, ...(backend === undefined ? {} : { backend }) }),
      stands: () => stands(context, source, places),
    })),
    // What was found well once may have changed since: it is looked at again before anything is started.
    { name: "validate", work: () => validate(context, stores, places), stands: () => Promise.resolve(false) },
    ...(services === undefined ? [] : [{ name: "services", work: () => startServices(context, services), stands: () => Promise.resolve(false) }]),
    ...(health.length === 0 ? [] : [{ name: "health", work: () => checkHealth(context, health), stands: () => Promise.resolve(false) }]),
  ];
}

async function carryOut(context: RunContext, journal: Journal, { name, work, stands: still = () => Promise.resolve(true) }: Step): Promise<DoneStep> {
  const { clock } = context;
  const earlier = journal.stepOf(name);
  if (earlier?.result !== undefined && (await still())) return { name, outcome: "kept", seconds: earlier.seconds ?? 0, result: earlier.result };
  context.report({ step: name });
  await journal.begun(name, clock.now());
  try {
    const result = await work();
    await journal.ended(name, clock.now(), { result });
    return { name, outcome: "done", seconds: journal.stepOf(name)?.seconds ?? 0, result };
  } catch (error) {
    await journal.ended(name, clock.now(), { error: messageOf(error) });
    throw error;
  }
}

/** What makes two requests the same; which recovery point it is was decided by the first. */
const asked = ({ at, newestPerStore, without, tier, backend }: FullRecoveryOptions): string => JSON.stringify({ at: at?.toISOString() ?? null, newestPerStore, without, tier, backend: backend ?? null });

function refuseOther(journal: Journal, options: FullRecoveryOptions): void {
  if (journal.asked === asked(options)) return;
  throw new DrError({ kind: "refused", what: `another recovery into this folder did not come to its end (${journal.sources.point ?? "newest of each store"}, begun ${journal.startedAt.toISOString()})`, where: options.into, todo: "Ask for the same again and it goes on; or start over with --restart --force, or name another folder." });
}

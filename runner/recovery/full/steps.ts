/** The steps of a recovery of the whole system in R1's order, and how one is carried out. */
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { openRecovered } from "../../stores/vault/open-recovered.ts";
import { checkHealth } from "./health.ts";
import { bringUp } from "./infrastructure.ts";
import type { Journal } from "./journal.ts";
import type { FullRecoveryOptions } from "./recover.ts";
import { areStopped, startServices, stopServices } from "./services.ts";
import type { StoreSource, SystemSources } from "./sources.ts";
import { recoverStore } from "./stores.ts";
import { checkTarget, placesIn, stands, type Places } from "./targets.ts";
import { validate } from "./validate.ts";

export interface DoneStep {
  readonly name: string;
  /** `kept`: an earlier run had done it, and it still stands. */
  readonly outcome: "done" | "kept";
  readonly seconds: number;
  readonly result: string;
}

interface Step {
  readonly name: string;
  readonly work: () => Promise<string>;
  /** Before the first attempt: throws where it must not begin. From then on what is there is the recovery's own. */
  readonly check?: () => Promise<void>;
  /** Whether what an earlier run did still stands. Default: it does. */
  readonly stands?: () => Promise<boolean>;
}

const never = (): Promise<boolean> => Promise.resolve(false);

export function stepsOf(context: RunContext, options: FullRecoveryOptions, { stores }: SystemSources, journal: Journal): readonly Step[] {
  const { infrastructure, services, health = [] } = context.config.recover ?? {};
  const places = placesIn(options.into);
  const allStand = async (): Promise<boolean> => {
    for (const source of stores) if (journal.stepOf(source.store)?.result === undefined || !(await stands(context, source, places))) return false;
    return true;
  };
  return [
    ...(options.tier === "cold" && infrastructure !== undefined ? [{ name: "infrastructure", work: () => bringUp(context, infrastructure) }] : []),
    // An earlier run may have started them again, which harms nothing unless a store is replaced below them.
    ...(services === undefined ? [] : [{ name: "stop", work: () => stopServices(context, services), stands: async () => (await allStand()) || (await areStopped(context, services)) }]),
    ...stores.flatMap((source): Step[] => [
      storeStep(context, options, source, places, journal),
      ...(source.store === "vault" ? [{ name: "unseal", work: () => openRecovered(context, source.backup), stands: never }] : []),
    ]),
    // What was found well once may have changed since: it is looked at again before anything is started.
    { name: "validate", work: () => validate(context, stores, places), stands: never },
    ...(services === undefined ? [] : [{ name: "services", work: () => startServices(context, services), stands: never }]),
    ...(health.length === 0 ? [] : [{ name: "health", work: () => checkHealth(context, health), stands: never }]),
  ];
}

function storeStep(context: RunContext, { force, backend }: FullRecoveryOptions, source: StoreSource, places: Places, journal: Journal): Step {
  const { store } = source;
  return {
    name: store,
    check: () => checkTarget(context, { source, places, force }),
    work: () => recoverStore(context, { source, places, force, again: journal.attempts(store) > 1, ...(backend === undefined ? {} : { backend }) }),
    stands: () => stands(context, source, places),
  };
}

export async function carryOut(context: RunContext, journal: Journal, step: Step): Promise<DoneStep> {
  const { clock } = context;
  const { name, work, check, stands: still = () => Promise.resolve(true) } = step;
  const earlier = journal.stepOf(name);
  if (earlier?.result !== undefined && (await still())) return { name, outcome: "kept", seconds: earlier.seconds ?? 0, result: earlier.result };
  if (earlier === undefined) await check?.();
  context.report({ step: name });
  await journal.begun(name, clock.now());
  try {
    const result = await work();
    await journal.ended(name, clock.now(), { result });
    return { name, outcome: "done", seconds: journal.stepOf(name)?.seconds ?? 0, result };
  } catch (error) {
    // Where the disk is full, that the journal cannot say so is no news.
    await journal.ended(name, clock.now(), { error: messageOf(error) }).catch((unwritten: unknown) => context.report({ step: `the journal could not be written: ${messageOf(unwritten)}` }));
    throw error;
  }
}

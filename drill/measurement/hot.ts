import { waitFor } from "../../runner/system/wait.ts";
import { together } from "../environments/local/together.ts";
import type { Stage } from "../stage.ts";
import { addressOf, checkLiveRedis, checkPostgres } from "./check.ts";
import { recordLag, recordStore, type Checked } from "./outcome.ts";
import type { Known, MeasuredStore } from "./prepare.ts";

export interface HotQuestion {
  /** The region in which the new leader must come up by itself. */
  readonly region: "a" | "b";
  readonly stores: readonly MeasuredStore[];
}

/** Seconds that a failover may take before the drill gives up on it; the promise is far below. */
const patience = 120;
/** Issue's own bound for writes after the loss of a leader, in seconds. */
const writesWithin = 60;

/** Waits for the stores' own failover, until writes are acknowledged again, and checks what is there. Nobody acts. */
export async function measureHot(stage: Stage, _known: Known, { region, stores }: HotQuestion): Promise<void> {
  const { run, env, signal } = stage;
  const struck = run.disasterAt.getTime();
  const leader = await run.steps.step("detect", `the dead leader's lease ends, region ${region} promotes by itself`, () =>
    waitFor(`a new PostgreSQL leader in region ${region}`, async () => {
      const found = await env.leader();
      return found?.region === region && found.name !== "a1" ? found : undefined;
    }, { within: patience, every: 0.05, signal }),
  );
  run.detected(new Date());
  for (const store of stores) {
    const at = await run.steps.step("recover", `${store} accepts writes again`, () => writesAgain(stage, store, struck));
    const seconds = (at - struck) / 1_000;
    run.show(`${store}: writes accepted again`, `${seconds.toFixed(1)} s after the kill`, seconds <= writesWithin);
  }
  await together(stores.map(async (store) => {
    const validation = await run.steps.step("validate", `check ${store} of region ${region} row by row`, async (): Promise<Checked["validation"]> => (store === "postgres" ? checkPostgres(stage, addressOf(leader)) : checkLiveRedis(stage, region)));
    await recordStore(stage, { store, validation, from: store === "postgres" ? leader.name : `the replica in region ${region}`, validatedAt: new Date(), earlierLoss: false });
    if (store === "postgres") run.countAgents(validation.agentsExpected, validation.agentsValid);
  }));
  await recordLag(stage, new Date());
}

/** When the first write after the disaster was acknowledged, in milliseconds since 1970. */
function writesAgain(stage: Stage, store: MeasuredStore, struck: number): Promise<number> {
  return waitFor(`an acknowledged write in ${store}`, async () => {
    const { acknowledged, resumptions } = await stage.workload.ledger();
    const resumed = resumptions.find((entry) => entry.store === store && entry.at > struck);
    return resumed === undefined ? undefined : acknowledged[store].find(({ at }) => at >= resumed.at)?.at;
  }, { within: patience, every: 0.1, signal: stage.signal });
}

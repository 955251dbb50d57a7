import type { Stage } from "../stage.ts";
import { lostAtResumptions, measureRpo, summariseLag } from "../workload/measure.ts";
import type { PostgresValidation } from "../workload/validate-postgres.ts";
import type { RedisValidation } from "../workload/validate-redis.ts";
import type { MeasuredStore } from "./prepare.ts";

export interface Checked {
  readonly store: MeasuredStore;
  readonly validation: Pick<PostgresValidation | RedisValidation, "agentsExpected" | "agentsValid" | "errors" | "errorCount" | "present" | "recoveredTo" | "recoveredTick">;
  readonly from: string;
  readonly validatedAt: Date;
  /** Loss of an earlier disaster of the same drill, already counted there. */
  readonly earlierLoss: boolean;
}

/** Holds a checked store against the ledger, and records what it lost and when it was there again. */
export async function recordStore(stage: Stage, { store, validation, from, validatedAt, earlierLoss }: Checked): Promise<void> {
  const { run } = stage;
  const ledger = await stage.workload.ledger();
  const loss = measureRpo(ledger, { store, disasterAt: run.disasterAt.getTime(), present: validation.present, alreadyLost: earlierLoss ? lostAtResumptions(ledger, store) : [] });
  run.recovered({ store, rpoSeconds: loss.rpoSeconds, acknowledgedLost: loss.acknowledgedLost, recoveredTo: validation.recoveredTo?.toISOString() ?? `heartbeat ${validation.recoveredTick}`, recoveredFrom: from }, validatedAt);
  const { agentsValid, agentsExpected } = validation;
  run.show(`${store} recovered`, `${agentsValid.toLocaleString("en")} of ${agentsExpected.toLocaleString("en")} agents are what heartbeat ${validation.recoveredTick.toLocaleString("en")} made them, row by row`, agentsValid === agentsExpected);
  for (const error of validation.errors) run.find(error, `${store}, from ${from}`);
  if (validation.errorCount > validation.errors.length) run.find(`${validation.errorCount - validation.errors.length} findings more`, `${store}, from ${from}`);
}

/** The replication lag during this run; samples between its disaster and `until` are the fault's. */
export async function recordLag(stage: Stage, until: Date): Promise<void> {
  const begun = stage.run.steps.startedAt.getTime();
  const lags = (await stage.workload.ledger()).lags.filter(({ at }) => at >= begun);
  const summary = summariseLag(lags, [{ from: stage.run.disasterAt.getTime(), until: until.getTime() }]);
  stage.run.sampledLag(summary);
  const bound = stage.plan.system.replicationLag;
  const outside = summary?.outsideFaultMaxSeconds ?? null;
  const proven = summary?.outsideFaultProvenSeconds ?? null;
  if (outside === null || proven === null) return;
  const part = outside < bound ? "" : `, ${proven.toFixed(3)} s of it surely the replica's: the reader was held up for the rest`;
  stage.run.show("replication lag outside the fault", `at most ${outside.toFixed(3)} s in ${summary?.samples ?? 0} samples${part}, promised under ${bound} s`, proven < bound);
}

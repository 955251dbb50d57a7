import type { Plan, ScheduleName } from "../plan/types.ts";
import { recordVersion } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { DrError, kindOf, messageOf } from "./errors.ts";

/** When what `schedule` makes at `from` may be expired, as a record says it; `null`: never. */
export function expiryOf(plan: Plan, schedule: ScheduleName, from: Date): string | null {
  const found = plan.schedules.find(({ name }) => name === schedule);
  if (found === undefined) throw new DrError({ kind: "usage", what: `the plan has no schedule ${schedule}, so nothing says how long this backup is kept`, where: "plan.schedules", todo: `Name one of: ${plan.schedules.map(({ name }) => name).join(", ")}.` });
  return found.retention === "forever" ? null : new Date(from.getTime() + found.retention * 1_000).toISOString();
}

/** How long a run of `schedule` may take, in seconds. */
export function deadlineOf(plan: Plan, schedule: ScheduleName): number {
  const found = plan.schedules.find(({ name }) => name === schedule);
  if (found !== undefined) return found.deadline;
  throw new DrError({ kind: "usage", what: `the plan has no schedule ${schedule}`, where: "plan.schedules", todo: "Name a schedule of the plan." });
}

export function refuseReadOnly({ config }: RunContext, what: string): void {
  if (!config.readOnly) return;
  throw new DrError({ kind: "refused", what: `this run may only read, and was asked to ${what}`, where: "readOnly in the configuration", todo: "Do it where production's own configuration is." });
}

export interface FailedBackup {
  readonly id: string;
  readonly store: string;
  readonly kind: string;
  readonly schedule: ScheduleName;
  readonly startedAt: Date;
}

/**
 * Leaves a record of a backup that came to nothing, because the alerts are made from records: a job that only dies
 * would be seen when the last good backup is too old. It names no object, so nothing can be restored from it.
 */
export async function recordFailure(context: RunContext, failed: FailedBackup, error: unknown): Promise<void> {
  if (context.signal.aborted) return; // who stopped it knows
  const startedAt = failed.startedAt.toISOString();
  const message = messageOf(error);
  try {
    await context.catalog.write({
      version: recordVersion, id: failed.id, store: failed.store, kind: failed.kind,
      startedAt, finishedAt: context.clock.now().toISOString(), watermark: { time: startedAt },
      sourceBytes: 0, objects: [], encryption: "openpgp",
      copies: context.backends.map(({ name }) => ({ backend: name, status: "failed", error: message, kind: kindOf(error) })),
      tools: {}, expiresAt: expiryOf(context.plan, failed.schedule, failed.startedAt), details: { failure: message },
    });
  } catch (unwritten) {
    context.report({ step: `the failure could not be recorded either: ${messageOf(unwritten)}` });
  }
}

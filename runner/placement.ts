import { goesToShortLived, beginOfStep, keptFor, type StandingBackup } from "../plan/kept.ts";
import { scheduleOf } from "../plan/find.ts";
import type { Schedule, ScheduleName } from "../plan/types.ts";
import { seconds, type Duration } from "../plan/units.ts";
import { outcomeOf, type BackupRecord } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { DrError, messageOf } from "./errors.ts";
import type { StorageBackend } from "./storage/backend.ts";

/** Where a backup is written, and until when it is kept there. */
export interface Placement {
  /** In the context's order; each writes to its short-lived bucket where that is the backup's. */
  readonly backends: readonly StorageBackend[];
  /** For the record; `null`: never. */
  readonly expiresAt: string | null;
}

export interface PlacedBackup {
  readonly store: string;
  readonly kind: string;
  readonly schedule: ScheduleName;
  readonly startedAt: Date;
}

/**
 * Where the backup of a run goes, decided before it is written: an object's lock cannot be prolonged by a move, and what
 * a 24-hour bucket expires is no backup of a week. A catalog that cannot be read keeps it longer, not shorter.
 */
export async function placementOf(context: RunContext, { store, kind, schedule: name, startedAt }: PlacedBackup): Promise<Placement> {
  const schedule = scheduleOf(context.plan, name);
  if (schedule === undefined) throw new DrError({ kind: "usage", what: `the plan has no schedule ${name}, so nothing says how long this backup is kept`, where: "plan.schedules", todo: "Name a schedule of the plan." });
  const kept = keptFor(schedule, startedAt, await standing(context, schedule, { store, kind, startedAt }));
  return {
    backends: context.backends.map((backend) => {
      const planned = context.plan.backends.find(({ name: called }) => called === backend.name);
      return planned !== undefined && goesToShortLived(planned, schedule, kept) ? (backend.shortLived ?? backend) : backend;
    }),
    expiresAt: kept === "forever" ? null : new Date(startedAt.getTime() + kept * 1_000).toISOString(),
  };
}

async function standing(context: RunContext, { keepLonger = [] }: Schedule, { store, kind, startedAt }: Omit<PlacedBackup, "schedule">): Promise<readonly StandingBackup[]> {
  // The shortest step's first: of twelve runs in an hour, one has to ask for the day's as well.
  const steps = keepLonger.toSorted((one, other) => one.every - other.every);
  let found: readonly StandingBackup[] = [];
  for (const { every, retention } of steps) {
    found = await since(context, store, kind, beginOfStep(every, startedAt));
    if (found.some((one) => one.keptFor === "forever" || one.keptFor >= retention)) break;
  }
  return found;
}

async function since(context: RunContext, store: string, kind: string, from: Date): Promise<readonly StandingBackup[]> {
  try {
    const { records } = await context.catalog.list({ store, kind, since: from });
    // One that lacks a copy serves nobody: the next whole one is kept as long, and is the one that expiry keeps.
    return records.filter((record) => outcomeOf(record) === "ok").map(asStanding);
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `what is kept longer cannot be read, so this is: ${messageOf(error)}` });
    return [];
  }
}

function asStanding({ startedAt, expiresAt }: BackupRecord): StandingBackup {
  const from = new Date(startedAt);
  const keptSeconds: Duration | "forever" = expiresAt === null ? "forever" : seconds((new Date(expiresAt).getTime() - from.getTime()) / 1_000);
  return { startedAt: from, keptFor: keptSeconds };
}

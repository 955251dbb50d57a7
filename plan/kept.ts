/** How long a single run's backup is kept, where its schedule keeps some of them longer. */
import { isShortLived } from "./survival.ts";
import type { Backend, Schedule } from "./types.ts";
import type { Duration } from "./units.ts";

/** A backup that stands, of the same store and kind. */
export interface StandingBackup {
  readonly startedAt: Date;
  /** Seconds that it is kept from then on. */
  readonly keptFor: Duration | "forever";
}

/** Since when another run would do for a step: its intervals are counted from midnight in UTC. */
export const beginOfStep = (every: Duration, at: Date): Date => new Date(Math.floor(at.getTime() / (every * 1_000)) * every * 1_000);

/**
 * How long the backup of a run that begins at `startedAt` is kept: the schedule's own retention, or a step's of
 * `keepLonger` where none of the step's interval stands yet (`standing`). It is decided before it is written, as what is
 * kept longer lies where the lock is longer.
 */
export function keptFor(schedule: Pick<Schedule, "retention" | "keepLonger">, startedAt: Date, standing: readonly StandingBackup[]): Duration | "forever" {
  let kept = schedule.retention;
  for (const { every, retention } of (schedule.keepLonger ?? []).toSorted((one, other) => one.every - other.every)) {
    const since = beginOfStep(every, startedAt);
    const served = standing.some((one) => one.startedAt >= since && (one.keptFor === "forever" || one.keptFor >= retention));
    if (served) break; // a longer step is one of the runs of a shorter
    if (kept !== "forever" && retention > kept) kept = retention;
  }
  return kept;
}

/** A backup that stands, as the catalog tells of it afterwards. */
export interface MadeBackup {
  readonly id: string;
  readonly startedAt: Date;
  /** In every backend that it was to be in. */
  readonly whole: boolean;
}

/**
 * Until when the schedule keeps some of its backups longer, by what was made of it (`made`, the oldest first): of each
 * step's interval the first that is whole, or else the first.
 */
export function keptLonger({ keepLonger = [] }: Pick<Schedule, "keepLonger">, made: readonly MadeBackup[]): readonly { readonly id: string; readonly until: Date }[] {
  return keepLonger.flatMap(({ every, retention }) =>
    [...Map.groupBy(made, ({ startedAt }) => beginOfStep(every, startedAt).getTime()).values()].flatMap((slot) => {
      const chosen = slot.find(({ whole }) => whole) ?? slot[0];
      return chosen === undefined ? [] : [{ id: chosen.id, until: new Date(chosen.startedAt.getTime() + retention * 1_000) }];
    }),
  );
}

/** Whether a backup that is kept so long goes to the backend's short-lived place. */
export const goesToShortLived = (backend: Backend, schedule: Schedule, kept: Duration | "forever"): boolean =>
  isShortLived(backend, schedule) && kept !== "forever" && kept < backend.immutableFor;

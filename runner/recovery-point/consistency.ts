/** Whether the parts of a recovery point fit each other, when PostgreSQL is recovered to a given position. Pure. */
import { formatDuration } from "../../plan/units.ts";
import { lsnOf } from "../stores/postgres/lsn.ts";
import { isSaved, madePoint, type MadeRestorePoint, type RecoveryPoint, type SavedPart } from "./record.ts";

/**
 * `ahead`: it may hold what PostgreSQL lacks, or for what must follow PostgreSQL, lack what PostgreSQL refers to.
 * `behind`: it has forgotten the last of what PostgreSQL knows. `unknown`: there is nothing to compare it with.
 */
export type PartStanding = "consistent" | "behind" | "ahead" | "unknown";

export interface PartConsistency {
  readonly store: string;
  readonly standing: PartStanding;
  /** Seconds of PostgreSQL's newest data that the part has not seen, at the most; 0 where it is not behind. */
  readonly behindSeconds: number;
  /** For people. */
  readonly why: string;
}

export interface PointConsistency {
  /** Nothing is ahead of PostgreSQL, and PostgreSQL's backup leads to where it is recovered to. */
  readonly ok: boolean;
  readonly parts: readonly PartConsistency[];
  readonly errors: readonly string[];
}

/** Where PostgreSQL is recovered to. */
export type RecoveredTo = Pick<MadeRestorePoint, "lsn" | "timeline" | "time">;

/**
 * Judges a recovery point for a PostgreSQL that is recovered to `to`; default: to its restore point. A Redis that is
 * ahead is an error, one that is behind is reported with how much. LSNs decide where there are some, as they do not
 * depend on clocks; otherwise the times do.
 */
export function consistencyOf(point: RecoveryPoint, to: RecoveredTo | undefined = madePoint(point)): PointConsistency {
  const parts = point.parts.filter(isSaved).map((part) => standingOf(part, to));
  const errors = parts.filter(({ standing }) => standing === "ahead").map(({ store, why }) => `${store}: ${why}`);
  return { ok: errors.length === 0, parts, errors };
}

function standingOf(part: SavedPart, to: RecoveredTo | undefined): PartConsistency {
  const { store } = part;
  if (to === undefined) return { store, standing: "unknown", behindSeconds: 0, why: "there is no position of PostgreSQL to compare it with" };
  switch (part.order) {
    case "base":
      return baseStanding(part, to);
    case "before":
      return beforeStanding(part, to);
    case "after":
      return afterStanding(part, to);
  }
}

const consistent = (store: string, why: string): PartConsistency => ({ store, standing: "consistent", behindSeconds: 0, why });
const ahead = (store: string, why: string): PartConsistency => ({ store, standing: "ahead", behindSeconds: 0, why });

/** Replay only goes forward: a backup that ends behind the target cannot be recovered to it. */
function baseStanding({ store, watermark }: SavedPart, to: RecoveredTo): PartConsistency {
  const { lsn } = watermark;
  if (lsn !== null && lsnOf(lsn) > lsnOf(to.lsn)) return ahead(store, `its backup is consistent at ${lsn} only, behind ${to.lsn}`);
  return consistent(store, `its backup leads to ${to.lsn}`);
}

function beforeStanding(part: SavedPart, to: RecoveredTo): PartConsistency {
  const { store, notAfter, watermark } = part;
  if (notAfter === null) {
    if (Date.parse(watermark.time) > Date.parse(to.time)) return ahead(store, `it reaches to ${watermark.time}, and PostgreSQL to ${to.time}`);
  } else if (notAfter.timeline !== to.timeline) {
    // The new leader may never have received what the old one had committed when this was made.
    return ahead(store, `it was made on timeline ${notAfter.timeline}, and PostgreSQL goes on along ${to.timeline}: what the change of the leader lost may be in it`);
  } else if (lsnOf(notAfter.lsn) > lsnOf(to.lsn)) {
    return ahead(store, `it may know commits up to ${notAfter.lsn}, and PostgreSQL reaches to ${to.lsn}`);
  }
  const behindSeconds = Math.max(0, (Date.parse(to.time) - Date.parse(watermark.time)) / 1_000);
  if (behindSeconds === 0) return consistent(store, `it reaches to ${watermark.time}, as PostgreSQL does`);
  return { store, standing: "behind", behindSeconds, why: `it is up to ${formatDuration(behindSeconds)} behind PostgreSQL` };
}

/** Objects are only added: having more than PostgreSQL knows is well, having less is not. */
function afterStanding({ store, watermark }: SavedPart, to: RecoveredTo): PartConsistency {
  if (Date.parse(watermark.time) < Date.parse(to.time)) return ahead(store, `it reaches to ${watermark.time}, and PostgreSQL, which refers to it, to ${to.time}`);
  return consistent(store, "it holds what PostgreSQL refers to");
}

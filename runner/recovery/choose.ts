/** Which backup a recovery starts from, and along which timeline it goes. Pure. */
import { DrError } from "../errors.ts";
import type { RepositoryBackup } from "../stores/postgres/info.ts";
import { formatLsn, lsnOf, parseSegment } from "../stores/postgres/lsn.ts";
import { leadsTo, leaves, type Archive, type ArchivedSegment, type Commit } from "../stores/postgres/archive.ts";
import { describeTarget, type RecoveryTarget } from "./target.ts";

/** What is known of one repository when a recovery is planned. */
export interface Holdings {
  readonly repository: string;
  /** Oldest first. */
  readonly backups: readonly RepositoryBackup[];
  readonly archive: Pick<Archive, "archiveId" | "histories" | "timelines">;
  /** Per timeline that is an end, its newest segment. */
  readonly newest: ReadonlyMap<number, ArchivedSegment>;
  /** Newest commit per timeline, where it could be read. */
  readonly newestCommit: ReadonlyMap<number, Commit>;
  /** How many full backups back WAL is kept; see `pgbackrestRetention`. */
  readonly archiveFulls: number;
  readonly segmentBytes: number;
}

/** What the catalog adds; a recovery goes on without it where it can. */
export interface Hints {
  /** Take this backup and no other. */
  readonly label?: string;
  /** LSN of the restore point that the target names. */
  readonly restorePoint?: bigint;
  /** Per label: every transaction from this id on committed after the backup's end. */
  readonly nextXids: ReadonlyMap<string, bigint>;
  /** Timeline of the newest record: production's own. */
  readonly timeline?: number;
  /** Asked for by the operator. */
  readonly wantedTimeline?: number;
}

export interface Choice {
  readonly backup: RepositoryBackup;
  readonly timeline: number;
  readonly newestSegment: ArchivedSegment | undefined;
  readonly newestCommit: Commit | undefined;
  readonly notes: readonly string[];
}

export interface Window {
  /** The first moment that can be recovered: the end of the oldest backup whose WAL is all there. */
  readonly oldest: Date;
  /** The last: the newest commit in the archive, or where none is seen, the arrival of the newest segment. */
  readonly newest: Date;
}

/** The backups from which every later moment can be reached: those since the oldest full one whose WAL is kept. */
export function rollable(backups: readonly RepositoryBackup[], archiveFulls: number): readonly RepositoryBackup[] {
  const fulls = backups.filter(({ type }) => type === "full");
  const first = fulls.at(-Math.min(archiveFulls, fulls.length));
  return first === undefined ? [] : backups.filter(({ startedAt }) => startedAt >= first.startedAt);
}

/** The recovery window of one repository along one timeline; `undefined` where it has no backup. */
export function windowOf(holdings: Holdings, timeline: number): Window | undefined {
  const oldest = rollable(holdings.backups, holdings.archiveFulls)[0];
  if (oldest === undefined) return undefined;
  const newest = holdings.newestCommit.get(timeline)?.time ?? holdings.newest.get(timeline)?.archivedAt ?? oldest.stoppedAt;
  return { oldest: consistentAt(oldest), newest: newest > oldest.stoppedAt ? newest : oldest.stoppedAt };
}

/** pgBackRest rounds the end down to the second: a target must lie after it surely. */
const consistentAt = (backup: RepositoryBackup): Date => new Date(backup.stoppedAt.getTime() + 1_000);

/**
 * The timeline to follow: the one asked for; else the end that production's newest record is on or led to; else the
 * highest end, as PostgreSQL's `latest` does. Always a number: a drill that archived by mistake must not be followed.
 */
export function chooseTimeline(holdings: Holdings, hints: Hints): { readonly timeline: number; readonly notes: readonly string[] } {
  const { archive } = holdings;
  const ends = leaves(archive);
  const { wantedTimeline } = hints;
  if (wantedTimeline !== undefined) {
    if (archive.timelines.includes(wantedTimeline) || archive.histories.has(wantedTimeline)) return { timeline: wantedTimeline, notes: [] };
    throw new DrError({ kind: "usage", what: `there is no timeline ${wantedTimeline}`, where: `repository ${holdings.repository}`, todo: `It has the timelines ${archive.timelines.join(", ")}.` });
  }
  const own = hints.timeline;
  const following = own === undefined ? ends : ends.filter((end) => leadsTo(archive, own, 0n, end));
  const candidates = following.length > 0 ? following : ends;
  const timeline = candidates.at(-1);
  if (timeline === undefined) throw new DrError({ kind: "unavailable", what: "the repository holds no WAL", where: `repository ${holdings.repository}`, todo: "Look at the archiver; recover from another repository." });
  const others = ends.filter((end) => end !== timeline);
  return { timeline, notes: others.length === 0 ? [] : [`timeline ${timeline} is followed; ${others.join(", ")} end elsewhere (choose with --timeline)`] };
}

/** The backup to start from, or the error that says why there is none. */
export function chooseBackup(holdings: Holdings, target: RecoveryTarget, hints: Hints): Choice {
  const { timeline, notes } = chooseTimeline(holdings, hints);
  const reachable = holdings.backups.filter((backup) => backup.archiveId === holdings.archive.archiveId && leadsTo(holdings.archive, backup.timeline, lsnOf(backup.stopLsn), timeline));
  const { label } = hints;
  const named = label === undefined ? undefined : holdings.backups.find((backup) => backup.label === label);
  if (label !== undefined && named === undefined) throw new DrError({ kind: "unavailable", what: `there is no backup ${label}`, where: `repository ${holdings.repository}`, todo: "It may have expired: `dr catalog list` shows what there is." });
  const finish = (backup: RepositoryBackup, more: readonly string[] = []): Choice => ({
    backup, timeline: target.kind === "immediate" ? backup.timeline : timeline,
    newestSegment: holdings.newest.get(timeline), newestCommit: holdings.newestCommit.get(timeline), notes: [...notes, ...more],
  });
  if (target.kind === "immediate") return finish(named ?? required(holdings.backups.at(-1), holdings, target));
  if (named !== undefined && !reachable.includes(named)) throw new DrError({ kind: "usage", what: `timeline ${timeline} does not go through the backup ${named.label}`, where: `repository ${holdings.repository}`, todo: `Its timeline is ${named.timeline}: give --timeline ${named.timeline}, or another backup.` });
  const from = named === undefined ? rollable(reachable, holdings.archiveFulls) : [named];
  switch (target.kind) {
    case "latest":
      return finish(required(from.at(-1), holdings, target));
    case "time":
      checkWindow(holdings, timeline, target.time.date, from, target);
      return finish(required(from.findLast((backup) => consistentAt(backup) <= target.time.date), holdings, target));
    case "lsn":
      checkEnd(holdings, timeline, target.lsn);
      return finish(required(from.findLast((backup) => lsnOf(backup.stopLsn) <= target.lsn), holdings, target));
    case "name":
      return finish(required(beforeRestorePoint(from, target.name, hints, named), holdings, target));
    case "xid":
      return finish(required(beforeXid(from, target.xid, hints, named), holdings, target));
  }
}

function required(backup: RepositoryBackup | undefined, holdings: Holdings, target: RecoveryTarget): RepositoryBackup {
  if (backup !== undefined) return backup;
  const first = holdings.backups[0];
  const oldest = first === undefined ? "it holds none" : `its oldest is ${first.label}, consistent at ${consistentAt(first).toISOString()} (LSN ${first.stopLsn})`;
  throw new DrError({
    kind: "unavailable",
    what: target.kind === "time" ? `No backup available before target time ${target.time.postgres}: ${oldest}` : `No backup available before ${describeTarget(target)}: ${oldest}`,
    where: `repository ${holdings.repository}`,
    todo: "Choose a later target, or another repository with --backend.",
  });
}

function checkWindow(holdings: Holdings, timeline: number, time: Date, from: readonly RepositoryBackup[], target: RecoveryTarget): void {
  const window = windowOf(holdings, timeline);
  if (window === undefined) return void required(undefined, holdings, target);
  const first = holdings.backups[0];
  // Before the first backup there is nothing; between an old backup and the kept WAL there is a backup but no way on.
  if (from.length === 0 || first === undefined || time < consistentAt(first)) return void required(undefined, holdings, target);
  if (time >= window.oldest && time <= window.newest) return;
  const late = time > window.newest;
  throw new DrError({
    kind: "usage",
    what: `the target time ${time.toISOString()} is outside recovery window: ${window.oldest.toISOString()} to ${window.newest.toISOString()}`,
    where: `repository ${holdings.repository}`,
    todo: late ? "Nothing was committed after that in the archive: recover to the latest instead." : "The WAL of that time has expired: recover a backup of that time as it is, with `dr recover postgres <backup> --immediate`.",
  });
}

function checkEnd(holdings: Holdings, timeline: number, lsn: bigint): void {
  const newest = holdings.newest.get(timeline);
  const segment = newest === undefined ? undefined : parseSegment(newest.segment, holdings.segmentBytes);
  if (segment === undefined || lsn < segment.start + BigInt(holdings.segmentBytes)) return;
  throw new DrError({
    kind: "usage",
    what: `the LSN ${formatLsn(lsn)} is outside recovery window: the archive ends with segment ${newest?.segment ?? ""}`,
    where: `repository ${holdings.repository}`,
    todo: "Recover to the latest instead, or wait until the segment is archived.",
  });
}

/** pgBackRest would take the newest backup even where it is past the target, and PostgreSQL then misses it. */
function beforeRestorePoint(from: readonly RepositoryBackup[], name: string, hints: Hints, named: RepositoryBackup | undefined): RepositoryBackup | undefined {
  if (named !== undefined) return named;
  const { restorePoint } = hints;
  if (restorePoint !== undefined) return from.findLast((backup) => lsnOf(backup.stopLsn) <= restorePoint);
  throw new DrError({ kind: "usage", what: `the catalog knows no restore point ${name}`, where: "--name", todo: "Correct the name (`dr catalog list` shows them), or name the backup to start from: `dr recover postgres <backup> --name …`." });
}

function beforeXid(from: readonly RepositoryBackup[], xid: bigint, hints: Hints, named: RepositoryBackup | undefined): RepositoryBackup | undefined {
  if (named !== undefined) return named;
  if (!from.some(({ label }) => hints.nextXids.has(label))) {
    throw new DrError({ kind: "usage", what: "the catalog does not say which transactions the backups hold", where: "--xid", todo: "Name a backup that ended before the transaction: `dr recover postgres <backup> --xid …`." });
  }
  return from.findLast(({ label }) => {
    const next = hints.nextXids.get(label);
    return next !== undefined && sameEpoch(xid, next) >= next;
  });
}

/** A row's xmin has 32 bits only: it is read in the epoch that brings it nearest to the recorded id. */
function sameEpoch(xid: bigint, near: bigint): bigint {
  if (xid >= 2n ** 32n) return xid;
  const epoch = near & ~0xffff_ffffn;
  const candidates = [epoch - 2n ** 32n, epoch, epoch + 2n ** 32n].map((base) => base + xid).filter((value) => value >= 0n);
  const distance = (value: bigint) => (value > near ? value - near : near - value);
  return candidates.reduce((best, value) => (distance(value) < distance(best) ? value : best), xid);
}

/** What each repository could be recovered to: read from the repositories themselves, and from the catalog. */
import { pgbackrestRetention } from "../../plan/config/pgbackrest.ts";
import type { Rates } from "../../plan/types.ts";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { leaves, looked, newestCommit, readArchive, type ArchivedSegment, type Commit } from "../stores/postgres/archive.ts";
import { readInfo, type RepositoryInfo } from "../stores/postgres/info.ts";
import { lsnOf } from "../stores/postgres/lsn.ts";
import { openRepository, repositoriesOf, type OpenRepository, type Repository, type Site } from "../stores/postgres/repositories.ts";
import { readRepositoryDetails, restorePointKind } from "../stores/postgres/details.ts";
import type { Hints, Holdings } from "./choose.ts";
import { ratesFromRecords } from "../verification-rates.ts";
import { verificationIn } from "../verification-record.ts";
import type { RecoveryTarget } from "./target.ts";

export interface Surveyed {
  readonly repository: Repository;
  readonly open: OpenRepository;
  readonly info: RepositoryInfo;
  readonly holdings: Holdings;
  /** What was seen to be damaged on the way. */
  readonly doubts: readonly string[];
}

export interface Unreadable {
  readonly repository: Repository;
  readonly error: unknown;
}

export const isSurveyed = (survey: Surveyed | Unreadable): survey is Surveyed => "holdings" in survey;

export interface SurveyOptions {
  /** Only this one. */
  readonly backend?: string | undefined;
  /**
   * Look further back for the newest commit, where the newest segment holds none. A target time is held against it;
   * whoever recovers the latest only wants to know what is lost, and does not wait for it.
   */
  readonly exact: boolean;
}

/** Looks at every repository (or one) at once; one that cannot be read does not hold up the others. */
export async function survey(context: RunContext, site: Site, { backend, exact }: SurveyOptions): Promise<(Surveyed | Unreadable)[]> {
  const all = repositoriesOf(context);
  const wanted = backend === undefined ? all : all.filter(({ name }) => name === backend);
  if (wanted.length === 0) throw new DrError({ kind: "usage", what: `no backend ${backend ?? ""} has a repository`, where: "--backend", todo: `Name one of: ${all.map(({ name }) => name).join(", ")}.` });
  return Promise.all(wanted.map((repository) => surveyOne(context, repository, site, exact ? looked : 1).catch((error: unknown): Unreadable => ({ repository, error }))));
}

async function surveyOne(context: RunContext, repository: Repository, site: Site, segmentsRead: number): Promise<Surveyed> {
  // The SDK says within seconds what is wrong; pgBackRest alone tries for minutes.
  await repository.backend.check();
  const open = await openRepository(context, repository, site);
  const info = await readInfo(open);
  const archive = await readArchive(open, info.archiveId);
  const newest = new Map<number, ArchivedSegment>();
  const commits = new Map<number, Commit>();
  const doubts: string[] = [];
  for (const timeline of leaves(archive)) {
    const segments = await archive.newest(timeline);
    const last = segments.at(-1);
    if (last === undefined) continue;
    newest.set(timeline, last);
    try {
      const commit = await newestCommit(open, segments.slice(-segmentsRead), context.config.workDirectory, context.config.postgres?.binDirectory);
      if (commit !== undefined) commits.set(timeline, commit);
    } catch (error) {
      // A damaged end of the WAL does not spoil what lies before it.
      context.signal.throwIfAborted();
      doubts.push(error instanceof DrError ? `${error.what} (${error.where})` : messageOf(error));
    }
  }
  const holdings: Holdings = {
    repository: repository.name, backups: info.backups, archive, newest, newestCommit: commits,
    archiveFulls: pgbackrestRetention(context.plan).archiveFulls, segmentBytes: context.plan.postgres.walSegment,
  };
  return { repository, open, info, holdings, doubts };
}

/** Every repository failed: one error that tells each one's. Its kind is the first one's. */
export function allFailed(what: string, failures: readonly { readonly repository: string; readonly error: unknown }[]): DrError {
  const [first] = failures;
  if (failures.length === 1 && first?.error instanceof DrError) return first.error;
  const kinds = new Set(failures.map(({ error }) => (error instanceof DrError ? error.kind : "failed")));
  const todo = first?.error instanceof DrError ? first.error.todo : "Read the messages above.";
  return new DrError({
    kind: kinds.size === 1 ? [...kinds][0] ?? "failed" : "unavailable",
    what: `${what}: ${failures.map(({ repository, error }) => `${repository}: ${error instanceof DrError ? error.what : messageOf(error)}`).join("; ")}`,
    where: failures.map(({ repository }) => `repository ${repository}`).join(", "),
    todo,
    cause: first?.error,
  });
}

export interface CatalogHints {
  /** Of each repository by its name. */
  forRepository(name: string): Hints;
  /** The backup's record, where it is named or known. */
  recordOf(repository: string, label: string): BackupRecord | undefined;
  /** What the newest verification of each of these backups found wrong with its copy in the repository. */
  damageIn(repository: string, labels: readonly string[]): string[];
  /** Measured by the newest verifications; the plan's own where there is none. */
  readonly rates: Rates;
  readonly notes: readonly string[];
}

const pgbackrestLabel = /^\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?$/;

/** Reads from the catalog what the repositories do not know. `backup`: a record's id, a label of pgBackRest, or `latest`. */
export async function readHints(context: RunContext, backup: string, target: RecoveryTarget, wantedTimeline?: number): Promise<CatalogHints> {
  const needsCatalog = backup !== "latest" && !pgbackrestLabel.test(backup);
  const notes: string[] = [];
  let records: readonly BackupRecord[] = [];
  try {
    const listed = await context.catalog.list({ store: "postgres" });
    records = listed.records;
    for (const problem of listed.problems) notes.push(`catalog: ${problem.backend}${problem.key === undefined ? "" : ` ${problem.key}`}: ${problem.what}`);
  } catch (error) {
    if (needsCatalog) throw error;
    notes.push(`the catalog cannot be read, the repositories alone decide: ${messageOf(error)}`);
  }
  const record = needsCatalog ? records.find(({ id }) => id === backup) ?? (await context.catalog.find(backup, { store: "postgres" })) : undefined;
  if (record?.kind === restorePointKind) throw new DrError({ kind: "usage", what: `${record.id} is a restore point, not a backup`, where: "the backup", todo: "Recover to it with `dr recover pitr --name`." });
  const restorePoint = target.kind === "name" ? records.findLast(({ kind, details }) => kind === restorePointKind && details["name"] === target.name)?.watermark.lsn : undefined;
  const timeline = records.findLast(({ watermark }) => watermark.timeline !== undefined)?.watermark.timeline;
  const labelOf = (repository: string): string | undefined => {
    if (backup === "latest") return undefined;
    if (record === undefined) return backup;
    const copy = record.copies.find(({ backend }) => backend === repository);
    if (copy?.status === "ok" && copy.label !== undefined) return copy.label;
    throw new DrError({ kind: "unavailable", what: `there is no copy of ${record.id}${copy?.status === "failed" ? `: it failed when it was made (${copy.error})` : ""}`, where: `repository ${repository}`, todo: "Take the copy in another repository, or another backup." });
  };
  return {
    notes,
    rates: ratesFromRecords(records, context.plan.rates),
    damageIn: (repository, labels) => knownDamage(records, repository, labels),
    recordOf: (repository, label) => records.find(({ copies }) => copies.some((copy) => copy.backend === repository && copy.status === "ok" && copy.label === label)),
    forRepository(repository) {
      const label = labelOf(repository);
      return {
        nextXids: nextXidsOf(records, repository),
        ...(label === undefined ? {} : { label }),
        ...(restorePoint === undefined ? {} : { restorePoint: lsnOf(restorePoint) }),
        ...(timeline === undefined ? {} : { timeline }),
        ...(wantedTimeline === undefined ? {} : { wantedTimeline }),
      };
    },
  };
}

/** By the newest verification of each backup that is among `labels` in the repository. */
export function knownDamage(records: readonly BackupRecord[], repository: string, labels: readonly string[]): string[] {
  const backups = records.filter(({ copies }) => copies.some((copy) => copy.backend === repository && copy.status === "ok" && copy.label !== undefined && labels.includes(copy.label)));
  return backups.flatMap(({ id }) => {
    const newest = records.findLast((record) => verificationIn(record)?.backup === id);
    const copy = newest === undefined ? undefined : verificationIn(newest)?.copies.find(({ backend }) => backend === repository);
    return newest === undefined || copy === undefined || copy.ok ? [] : [`${newest.id} found the copy of ${id} damaged: ${copy.errors[0] ?? "it could not be restored"}`];
  });
}

function nextXidsOf(records: readonly BackupRecord[], repository: string): Map<string, bigint> {
  const known = new Map<string, bigint>();
  for (const record of records) {
    const details = readRepositoryDetails(record, repository);
    if (details !== undefined) known.set(details.label, BigInt(details.nextXid));
  }
  return known;
}

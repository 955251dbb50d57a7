/** PostgreSQL's backup: made in each repository in turn, because pgBackRest serialises; one record for all of them. */
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deadlineOf, expiryOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, kindOf, messageOf } from "../../errors.ts";
import type { ScheduleName } from "../../../plan/types.ts";
import { formatVersion } from "../../../plan/config/version.ts";
import { secondsSince } from "../../system/clock.ts";
import { recoveryStanding } from "../../retention/recovery-lease.ts";
import { allFailed } from "../../recovery/survey.ts";
import { isLeader, queryValue, withPostgres } from "./connection.ts";
import type { RepositoryDetails } from "./details.ts";
import { expireOld } from "./expire.ts";
import { lockedCode, pgbackrestError } from "./faults.ts";
import { readInfo, type BackupType, type RepositoryBackup } from "./info.ts";
import { lsnOf } from "./lsn.ts";
import { endOrphans } from "./orphans.ts";
import { openRepository, pgbackrestProgram, productionSite, repositoriesOf, type OpenRepository, type Repository } from "./repositories.ts";

export type BackupKind = "full" | "diff" | "incremental";

export type BackUpResult =
  | { readonly outcome: "ok" | "partial"; readonly record: BackupRecord }
  /** Nothing was to be done here and now; no failure. */
  | { readonly outcome: "skipped"; readonly why: string };

const typeOf: Readonly<Record<BackupKind, BackupType>> = { full: "full", diff: "diff", incremental: "incr" };
const scheduleOf: Readonly<Record<BackupKind, ScheduleName>> = { full: "postgres-full", diff: "postgres-diff", incremental: "postgres-incremental" };

interface Made {
  readonly copy: CopyResult;
  readonly details?: RepositoryDetails;
  readonly backup?: RepositoryBackup;
  readonly error?: unknown;
}

/**
 * Backs the database up into each repository. Where one fails, the others' copies stand, and the outcome is `partial`.
 * Skipped on a replica, and where an incremental meets another backup: at 02:00 the full one supersedes it.
 * @throws DrError where no repository took it, or the server does not answer; the failure is recorded all the same.
 */
export async function backUpPostgres(context: RunContext, kind: BackupKind): Promise<BackUpResult> {
  refuseReadOnly(context, "back PostgreSQL up");
  const repositories = repositoriesOf(context);
  const attempt = { id: context.catalog.newId("postgres", kind), store: "postgres", kind, schedule: scheduleOf[kind], startedAt: context.clock.now() };
  const leads = await withPostgres(context, isLeader).catch(async (error: unknown) => {
    await recordFailure(context, attempt, error);
    throw error;
  });
  if (!leads) return { outcome: "skipped", why: "this server is a replica: the backup is made where the leader is" };
  const { id, startedAt } = attempt;
  const made: Made[] = [];
  for (const repository of repositories) {
    const result = await backUpInto(context, repository, kind);
    if (result === "locked") {
      if (made.length === 0) return { outcome: "skipped", why: "another backup is running, and has what this one would have" };
      made.push({ copy: { backend: repository.name, status: "failed", error: "another backup held the lock" } });
    } else made.push(result);
  }
  const record = await recordOf(context, { id, kind, startedAt, made });
  const outcome = outcomeOf(record);
  // Where every store is down the record cannot be written either, and that is not what is to be said.
  const written = await context.catalog.write(record).then(() => undefined, (error: unknown) => ({ error }));
  if (written !== undefined && outcome !== "failed") throw written.error;
  if (outcome === "failed") throw allFailed("no repository took the backup", made.map(({ copy, error }) => ({ repository: copy.backend, error })));
  return { outcome, record };
}

async function backUpInto(context: RunContext, repository: Repository, kind: BackupKind): Promise<Made | "locked"> {
  context.report({ step: `${kind} backup into ${repository.name}` });
  const begun = performance.now();
  try {
    // The SDK says within seconds what is wrong; pgBackRest alone tries for minutes.
    await repository.backend.check();
    const open = await openRepository(context, repository, productionSite(context));
    const label = await backUpUnlocked(context, open, kind);
    if (label === undefined) return "locked";
    const nextXid = await withPostgres(context, (client) => queryValue(client, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"));
    const { backups } = await readInfo(open);
    const backup = backups.find((one) => one.label === label);
    if (backup === undefined) throw new DrError({ kind: "failed", what: `the backup ${label} was made and is not in the repository`, where: `repository ${repository.name}`, todo: "Another process may have expired it; run the backup again." });
    const seconds = secondsSince(begun);
    await expireOld(context, open, backups);
    return {
      backup,
      copy: { backend: repository.name, status: "ok", uri: `pgbackrest://${repository.name}/${open.stanza}/${label}`, bytes: backup.storedBytes, label, watermark: watermarkOf(backup), seconds },
      details: { label, type: backup.type, startedAt: backup.startedAt.toISOString(), stoppedAt: backup.stoppedAt.toISOString(), nextXid, storedBytes: backup.storedBytes, seconds },
    };
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `${repository.name}: ${messageOf(error)}` });
    return { copy: { backend: repository.name, status: "failed", error: messageOf(error), kind: kindOf(error) }, error };
  }
}

/** The label of what was made; `undefined` where another backup holds the lock. A wider backup waits for a narrower. */
async function backUpUnlocked(context: RunContext, open: OpenRepository, kind: BackupKind): Promise<string | undefined> {
  const found = await backUpOnce(context, open, kind);
  const isOrphaned = found === undefined && (await endOrphans(join(dirname(open.configFile), "lock"), open.stanza));
  const first = isOrphaned ? await backUpOnce(context, open, kind) : found;
  if (first !== undefined || kind === "incremental") return first;
  context.report({ step: `${kind} backup into ${open.name}: waiting for the backup that runs` });
  // A failure of the backup itself ends the waiting; only the lock is waited for.
  const attempt = () => backUpOnce(context, open, kind).then((label) => label !== undefined && { label }, (error: unknown) => ({ error }));
  const until = performance.now() + deadlineOf(context.plan, "postgres-incremental") * 1_000;
  for (;;) {
    const result = await attempt();
    if (result !== false) {
      if ("error" in result) throw result.error;
      return result.label;
    }
    if (performance.now() > until) return undefined;
    await sleep(lockPause * 1_000, undefined, { signal: context.signal });
  }
}

/** Seconds between two attempts while another backup holds the lock, which nothing but an attempt can see. */
const lockPause = 2;

async function backUpOnce(context: RunContext, open: OpenRepository, kind: BackupKind): Promise<string | undefined> {
  let label: string | undefined;
  const onLine = (line: string): void => {
    label = /new backup label = (\S+)/.exec(line)?.[1] ?? label;
    const size = /backup file .* \((?:bundle [^,]*, )?[^,]*, ([\d.]+)%\)/.exec(line)?.[1];
    if (size !== undefined) context.report({ step: `${kind} backup into ${open.name}`, done: Math.round(Number(size)), total: 100 });
  };
  // pgBackRest expires by itself behind each backup, unless somebody recovers.
  const expires = (await recoveryStanding(context)) === undefined ? [] : ["--no-expire-auto"];
  const { code, stdout } = await open.command([...expires, `--type=${typeOf[kind]}`, "--log-level-console=detail", "backup"], { deadline: deadlineOf(context.plan, scheduleOf[kind]), onLine, accept: [lockedCode] });
  if (code === lockedCode) return undefined;
  if (label !== undefined) return label;
  throw pgbackrestError("backup", `repository ${open.name}`, code, `it did not say the backup's label\n${stdout.split("\n").slice(-5).join("\n")}`);
}

/**
 * Everything committed at `time` is in the backup. pgBackRest notes the end a moment after the stop LSN, and in whole
 * seconds: a second less is surely before it.
 */
const watermarkOf = (backup: RepositoryBackup) => ({ time: new Date(backup.stoppedAt.getTime() - 1_000).toISOString(), lsn: backup.stopLsn, timeline: backup.timeline, startLsn: backup.startLsn });

interface Run {
  readonly id: string;
  readonly kind: BackupKind;
  readonly startedAt: Date;
  readonly made: readonly Made[];
}

async function recordOf(context: RunContext, { id, kind, startedAt, made }: Run): Promise<BackupRecord> {
  const backups = made.flatMap(({ backup }) => (backup === undefined ? [] : [backup]));
  // The copy that reaches the least far: what the record promises holds for each of them.
  const least = backups.toSorted((a, b) => (lsnOf(a.stopLsn) < lsnOf(b.stopLsn) ? -1 : 1))[0];
  const { version } = await pgbackrestProgram();
  return {
    version: recordVersion, id, store: "postgres", kind,
    startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: least === undefined ? { time: startedAt.toISOString() } : watermarkOf(least),
    sourceBytes: least?.bytes ?? 0,
    objects: [], encryption: "pgbackrest-aes-256-cbc",
    copies: made.map(({ copy }) => copy),
    tools: { pgbackrest: formatVersion(version) },
    expiresAt: expiryOf(context.plan, scheduleOf[kind], startedAt),
    details: { repositories: Object.fromEntries(made.flatMap(({ copy, details }) => (details === undefined ? [] : [[copy.backend, details]]))) },
  };
}

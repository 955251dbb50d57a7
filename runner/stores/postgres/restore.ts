/** One restore from one repository, and the server that replays to its target. */
import { randomBytes } from "node:crypto";
import { readdir, readFile, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseVersion } from "../../../plan/config/version.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import type { Choice } from "../../recovery/choose.ts";
import { isolate, forgetTarget, startIsolated, awaitRecovery, stopIsolated, type IsolatedServer } from "../../recovery/isolated-server.ts";
import { prepareDestination, prepareSocketFolder } from "../../recovery/directory.ts";
import type { RecoveryLog } from "../../recovery/recovery-log.ts";
import type { RecoveryTarget } from "../../recovery/target.ts";
import { secondsSince } from "../../system/clock.ts";
import { longestSocketPath, removeTree } from "../../system/files.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { databaseUser } from "../../system/user.ts";
import { connectTo } from "./connection.ts";
import { formatLsn, lsnOf, parseSegment } from "./lsn.ts";
import type { PlannedRecovery, RecoverOptions, RecoveryCandidate } from "./recover.ts";
import type { OpenRepository, Site } from "./repositories.ts";

export interface RecoveredPostgres {
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
  /** Of PostgreSQL's programs, by which it is stopped. */
  readonly binDirectory: string;
  readonly logFile: string;
  readonly repository: string;
  readonly label: string;
  readonly promoted: boolean;
  readonly recoveredTo: {
    /** Of the last commit that was replayed; missing where none was after the backup. */
    readonly time?: string;
    readonly lsn: string;
    /** The new one, where it was promoted. */
    readonly timeline: number;
  };
  /** From the first look at the repositories to a server that takes writes. */
  readonly seconds: { readonly plan: number; readonly fetch: number; readonly replay: number; readonly promote: number; readonly total: number };
  readonly bytes: { readonly restored: number; readonly wal: number };
  /** Folder of this recovery: the server's log, and while WAL is still fetched its configuration. */
  readonly runDirectory: string;
}

/** A folder of this recovery alone: configuration with secrets, spool, locks and logs. */
export function recoverySite({ config }: RunContext, directory: string): Site {
  return { folder: join(config.workDirectory, `recovery-${randomBytes(4).toString("hex")}`), pgPath: directory };
}

/**
 * Folder of the programs of exactly this major version: another one cannot open the data.
 * @throws DrError where it is not installed.
 */
export async function binDirectoryOf({ config }: RunContext, version: number): Promise<string> {
  const folder = config.postgres?.binDirectory ?? `/usr/lib/postgresql/${version}/bin`;
  const program = await findProgram("postgres", folder);
  const { stdout } = await run(program, ["--version"], { deadline: 20, cwd: "/" });
  const found = parseVersion(stdout)?.major;
  if (found === version) return dirname(await realpath(program)); // a link alone has none of the other programs beside it
  throw new DrError({ kind: "unavailable", what: `the backup is of PostgreSQL ${version}, and this machine has ${found ?? "an unknown version"}: a restored database needs the same major version`, where: program, todo: `Install PostgreSQL ${version} (apt-get install postgresql-${version}), or name its folder as postgres.binDirectory.` });
}

/** Seconds without a word in the server's log after which a recovery counts as stuck. */
const stall = 900;
/** Seconds that a restore may take: a day; its progress is shown, and a person can end it. */
const restoreDeadline = 86_400;

export async function restoreAndStart(context: RunContext, options: RecoverOptions, planned: PlannedRecovery, candidate: RecoveryCandidate): Promise<RecoveredPostgres> {
  const { destination, site } = planned;
  const { surveyed, choice } = candidate;
  const binDirectory = await binDirectoryOf(context, surveyed.info.version);
  // Over another database the files replace each other, and nobody can say what will be needed.
  await prepareDestination(context, destination, destination.state === "cluster" ? 0 : choice.backup.bytes);
  const server = await serverOf(context, options, planned, binDirectory, surveyed.repository.name);
  // Nothing of the directory is touched before these: a store that died since it was looked at costs no data, and no minutes.
  await surveyed.repository.backend.check();
  const tablespaces = await hasTablespaces(surveyed.open, choice.backup.label);
  let started = false;
  try {
    const fetch = await restore(context, options, candidate, server, { delta: destination.state === "cluster", tablespaces });
    await isolate(server);
    const begun = performance.now();
    context.report({ step: "replaying the WAL", done: 0, unit: "segments" });
    started = true;
    await startIsolated(server);
    const log = await awaitRecovery(server, { signal: context.signal, stall, onSegments: (done) => context.report({ step: "replaying the WAL", done, unit: "segments" }) });
    const running = secondsSince(begun);
    const replay = Math.min(running, log.redoSeconds ?? 0);
    const reached = await reachedBy(server, log, choice.timeline);
    if (options.target.kind === "latest") checkEnd(reached.lsn, choice, surveyed.holdings.segmentBytes, surveyed.repository.name);
    if (server.promote) {
      await forgetTarget(server);
      await removeSecrets(site);
    }
    return {
      dataDirectory: server.dataDirectory, socketDirectory: server.socketDirectory, port: server.port, binDirectory, logFile: server.logFile,
      repository: surveyed.repository.name, label: choice.backup.label, promoted: server.promote, recoveredTo: reached,
      seconds: { plan: planned.seconds, fetch, replay, promote: running - replay, total: planned.seconds + fetch + running },
      bytes: { restored: choice.backup.bytes, wal: log.segments * surveyed.holdings.segmentBytes },
      runDirectory: site.folder,
    };
  } catch (error) {
    if (started) await stopIsolated(server, "immediate");
    await clear(server.dataDirectory);
    throw error;
  }
}

async function serverOf(context: RunContext, options: RecoverOptions, { destination, site }: PlannedRecovery, binDirectory: string, repository: string): Promise<IsolatedServer> {
  const owner = databaseUser(context.config.databaseUser);
  const socketDirectory = await prepareSocketFolder(options.socketDirectory ?? `${destination.directory}.socket`, owner);
  const port = options.port ?? 5432;
  const socket = join(socketDirectory, `.s.PGSQL.${port}`);
  if (Buffer.byteLength(socket) > longestSocketPath) throw new DrError({ kind: "usage", what: `the socket's path is longer than ${longestSocketPath} bytes: ${socket}`, where: "--socket-directory", todo: "Give a directory with a shorter path." });
  return {
    dataDirectory: destination.directory, socketDirectory, port, binDirectory, owner,
    // One for each attempt: how a recovery went is read from its log.
    logFile: join(site.folder, `postgresql-${repository}.log`), hbaFile: join(site.folder, "pg_hba.conf"),
    promote: options.promote ?? true, ...(options.throwAway === undefined ? {} : { throwAway: options.throwAway }),
  };
}

/** Runs `pgbackrest restore`; returns its seconds. */
async function restore(context: RunContext, options: RecoverOptions, { surveyed, choice }: RecoveryCandidate, server: IsolatedServer, has: { readonly delta: boolean; readonly tablespaces: boolean }): Promise<number> {
  const { open } = surveyed;
  const { backup } = choice;
  const step = `restoring ${backup.label} from ${open.name}`;
  context.report({ step, done: 0, total: backup.bytes, unit: "bytes" });
  const onLine = (line: string): void => {
    const percent = /restore file .* \((?:bundle [^,]*, )?[^,]*, ([\d.]+)%\)/.exec(line)?.[1];
    if (percent !== undefined) context.report({ step, done: Math.round((backup.bytes * Number(percent)) / 100), total: backup.bytes, unit: "bytes" });
  };
  const { seconds } = await open.command(
    [
      `--set=${backup.label}`,
      ...targetArguments(options.target, choice.timeline, server.promote),
      // A recovered server that archives writes its own history into production's repository.
      "--archive-mode=off",
      `--cmd=${open.program}`,
      ...(has.delta ? ["--delta"] : []),
      // Tablespaces lie outside the data directory: as they are, they would be production's own.
      ...(has.tablespaces ? [`--tablespace-map-all=${server.dataDirectory}.tablespaces`] : []),
      "--log-level-console=detail",
      "restore",
    ],
    { deadline: restoreDeadline, onLine },
  );
  return seconds;
}

/** pgBackRest's options for a target; the timeline always by its number. */
export function targetArguments(target: RecoveryTarget, timeline: number, promote: boolean): string[] {
  const along = `--target-timeline=${timeline}`;
  const action = `--target-action=${promote ? "promote" : "pause"}`;
  switch (target.kind) {
    case "latest":
      return ["--type=default", along];
    case "immediate":
      // pgBackRest takes no timeline here, and PostgreSQL alone would follow the latest, wherever that one left.
      return ["--type=immediate", action, `--recovery-option=recovery_target_timeline=${timeline}`];
    case "time":
      return ["--type=time", `--target=${target.time.postgres}`, action, along];
    case "xid":
      return ["--type=xid", `--target=${BigInt.asUintN(32, target.xid)}`, action, along];
    case "lsn":
      return ["--type=lsn", `--target=${formatLsn(target.lsn)}`, action, along];
    case "name":
      return ["--type=name", `--target=${target.name}`, action, along];
  }
}

async function hasTablespaces(open: OpenRepository, label: string): Promise<boolean> {
  const { stdout } = await open.command(["info", `--set=${label}`, "--output=json"], { deadline: 60 });
  return /"tablespace":\[\{/.test(stdout);
}

/**
 * PostgreSQL takes a segment that cannot be fetched for the end of the WAL, and promotes without a word. Whoever replayed
 * anything of the newest segment is behind its first byte: to stand right there is to have lost it.
 */
export function checkEnd(lsn: string, { newestSegment }: Pick<Choice, "newestSegment">, segmentBytes: number, repository: string): void {
  const newest = newestSegment === undefined ? undefined : parseSegment(newestSegment.segment, segmentBytes);
  if (newest === undefined || lsnOf(lsn) > newest.start) return;
  throw new DrError({ kind: "failed", what: `the recovery ended at LSN ${lsn}, before the archive's newest segment ${newestSegment?.segment ?? ""} was replayed: it, or a segment between them, is missing or damaged`, where: `repository ${repository}`, todo: `Recover from another repository; or, knowing what is lost, to where this one ends: --lsn ${lsn}.` });
}

async function reachedBy(server: IsolatedServer, log: RecoveryLog, timeline: number): Promise<RecoveredPostgres["recoveredTo"]> {
  const client = await connectTo({ host: server.socketDirectory, port: server.port });
  try {
    const { rows } = await client.query<{ time: string | null; lsn: string | null; timeline: number | null }>(
      `SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time,
              pg_last_wal_replay_lsn()::text AS lsn,
              CASE WHEN pg_is_in_recovery() THEN NULL ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline`,
    );
    const [row] = rows;
    const lsn = row?.lsn ?? log.redoEnd ?? "0/0";
    return { lsn, timeline: row?.timeline ?? timeline, ...(row?.time === null || row?.time === undefined ? {} : { time: row.time }) };
  } finally {
    await client.end();
  }
}

/** The configuration holds the repository's keys: it goes as soon as no WAL is fetched any more. */
export async function removeSecrets(site: Site): Promise<void> {
  for (const name of await readdir(site.folder)) {
    if (name.endsWith(".conf") && (await readFile(join(site.folder, name), "utf8")).includes("cipher-pass")) await rm(join(site.folder, name));
  }
  await removeTree(join(site.folder, "spool"));
}

/** What a failed restore left: half a database is worse than none, and the next attempt needs an empty directory. */
async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) await removeTree(join(directory, name));
}

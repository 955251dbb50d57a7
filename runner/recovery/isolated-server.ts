/** A restored PostgreSQL server that stands alone: it listens on a Unix socket and archives nothing. */
import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { quoteSetting } from "../../plan/config/postgresql.ts";
import { DrError, messageOf } from "../errors.ts";
import { connectTo } from "../stores/postgres/connection.ts";
import { secondsSince } from "../system/clock.ts";
import { run, type OsUser } from "../system/process.ts";
import { findProgram } from "../system/programs.ts";
import { isAlive } from "../system/pid.ts";
import { readRecoveryLog, recoveryFailed, type RecoveryLog } from "./recovery-log.ts";

export interface IsolatedServer {
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly binDirectory: string | undefined;
  readonly owner: OsUser | undefined;
  readonly logFile: string;
  readonly hbaFile: string;
  /** Ends recovery at the target; else it stays paused there and answers queries. */
  readonly promote: boolean;
  /** A server that is thrown away need not survive a power cut. */
  readonly throwAway?: boolean;
}

/**
 * Settings that outlive this start, so that a later start by hand is as isolated: nothing of production's network,
 * archive or standbys.
 */
const persistent = (server: IsolatedServer): readonly (readonly [string, string])[] => [
  ["listen_addresses", ""],
  ["port", String(server.port)],
  ["unix_socket_directories", server.socketDirectory],
  ["archive_command", ""],
  ["synchronous_standby_names", ""],
  ["primary_conninfo", ""],
  ["primary_slot_name", ""],
  ["ssl", "off"],
  ["cluster_name", "recovered"],
  ["external_pid_file", ""],
];

/** Makes a restored data directory ready to be started alone. */
export async function isolate(server: IsolatedServer): Promise<void> {
  const { dataDirectory, owner } = server;
  const conf = join(dataDirectory, "postgresql.conf");
  // Debian keeps it in /etc: then it is not part of the backup, and a server needs one.
  if (!(await stat(conf).then(() => true, () => false))) await writeOwned(conf, "# Not part of the backup.\n", owner);
  const lines = persistent(server).map(([name, value]) => `${name} = ${quoteSetting(value)}\n`);
  await appendFile(join(dataDirectory, "postgresql.auto.conf"), `\n# Recovered, and isolated from production\n${lines.join("")}`);
  // Whoever reaches the socket is trusted; its folder is the owner's alone. Passwords of production are not needed.
  await writeOwned(server.hbaFile, "local all all trust\nlocal replication all trust\n", owner);
}

async function writeOwned(path: string, content: string, owner: OsUser | undefined): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  if (owner !== undefined) await run("chown", [`${owner.uid}:${owner.gid}`, path], { deadline: 10 });
}

/** Parameters that a hot standby must have at least as large as the primary had; from pg_controldata. */
const fromPrimary: readonly (readonly [string, RegExp])[] = [
  ["max_connections", /max_connections setting:\s+(\d+)/],
  ["max_worker_processes", /max_worker_processes setting:\s+(\d+)/],
  ["max_wal_senders", /max_wal_senders setting:\s+(\d+)/],
  ["max_prepared_transactions", /max_prepared_xacts setting:\s+(\d+)/],
  ["max_locks_per_transaction", /max_locks_per_xact setting:\s+(\d+)/],
];

async function startOptions(server: IsolatedServer): Promise<string[]> {
  const settings: [string, string][] = [
    ["hba_file", server.hbaFile],
    // The log is read here, whatever production does with its own.
    ["logging_collector", "off"],
    ["log_destination", "stderr"],
    ["log_line_prefix", "%m [%p] "],
    ["log_timezone", "UTC"],
    ["lc_messages", "C"],
    ["log_min_messages", "log"],
  ];
  if (server.promote) {
    // Nobody may read a half recovered database, and its primary's limits need not be met.
    settings.push(["hot_standby", "off"]);
  } else {
    const { stdout } = await run(await findProgram("pg_controldata", server.binDirectory), [server.dataDirectory], { deadline: 30, cwd: "/", user: server.owner });
    for (const [name, pattern] of fromPrimary) {
      const value = pattern.exec(stdout)?.[1];
      if (value !== undefined) settings.push([name, value]);
    }
    settings.push(["hot_standby", "on"]);
  }
  if (server.throwAway === true) settings.push(["fsync", "off"], ["full_page_writes", "off"]);
  return settings.map(([name, value]) => `-c ${name}=${shellQuote(value)}`);
}

/** pg_ctl hands its options to a shell. */
const shellQuote = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

const childOptions = ({ owner }: IsolatedServer) => ({ cwd: "/", user: owner });

/** Starts the server and leaves it to itself: it outlives this process. That it has recovered is to be awaited. */
export async function startIsolated(server: IsolatedServer): Promise<void> {
  const pgCtl = await findProgram("pg_ctl", server.binDirectory);
  const options = await startOptions(server);
  await run(pgCtl, ["start", "-W", "-D", server.dataDirectory, "-l", server.logFile, "-o", options.join(" ")], { deadline: 60, ...childOptions(server) });
}

/** Stops it if it runs. `immediate` where its data is thrown away. */
export async function stopIsolated(server: IsolatedServer, mode: "fast" | "immediate" = "fast"): Promise<void> {
  const pgCtl = await findProgram("pg_ctl", server.binDirectory);
  await run(pgCtl, ["stop", "-w", "-t", "60", "-m", mode, "-D", server.dataDirectory], { deadline: 70, accept: [0, 1], ...childOptions(server) });
}

export interface AwaitOptions {
  readonly signal: AbortSignal;
  readonly onSegments: (segments: number) => void;
  /** Seconds without a word in the log after which the server counts as stuck. */
  readonly stall: number;
}

/** Waits until recovery has ended (or is paused at its target), or says why it will not. */
export async function awaitRecovery(server: IsolatedServer, { signal, onSegments, stall }: AwaitOptions): Promise<RecoveryLog> {
  let seen = 0;
  let lastWord = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const text = await readFile(server.logFile, "utf8").catch(() => "");
    if (text.length > seen) {
      seen = text.length;
      lastWord = performance.now();
      onSegments(readRecoveryLog(text).segments);
    }
    // Asked only once the log invites it: a refused connection would be a line in the log, i.e. a sign of life.
    if (text.includes("database system is ready to accept") && (await isRecovered(server))) return readRecoveryLog(await readFile(server.logFile, "utf8"));
    if (!(await serverRuns(server))) throw recoveryFailed(server, await readFile(server.logFile, "utf8").catch(() => ""));
    if (secondsSince(lastWord) > stall) throw new DrError({ kind: "failed", what: `the recovery said nothing for ${stall} s`, where: server.logFile, todo: "Read its log; the repository may not answer." });
    await new Promise((resolve) => setTimeout(resolve, lookEvery * 1_000));
  }
}

/** Seconds between two looks at the log. */
const lookEvery = 0.1;

async function isRecovered(server: IsolatedServer): Promise<boolean> {
  const client = await connectTo({ host: server.socketDirectory, port: server.port }).catch(() => undefined);
  if (client === undefined) return false;
  try {
    const sql = server.promote ? "SELECT NOT pg_is_in_recovery() AS done" : "SELECT NOT pg_is_in_recovery() OR pg_get_wal_replay_pause_state() = 'paused' AS done";
    const { rows } = await client.query<{ done: boolean }>(sql);
    return rows[0]?.done === true;
  } catch {
    return false; // it may stop between the connection and the answer; the log tells why
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the server that was started is at work, or on its way to it. */
export async function serverRuns(server: Pick<IsolatedServer, "dataDirectory" | "logFile">): Promise<boolean> {
  // The file of its number goes with the server, and is there before the log's first word: so the log is read first.
  const log = await readFile(server.logFile, "utf8").catch(() => "");
  const text = await readFile(join(server.dataDirectory, "postmaster.pid"), "utf8").catch(() => undefined);
  if (text === undefined) return log === "";
  const pid = Number.parseInt(text.split("\n")[0] ?? "", 10);
  return Number.isInteger(pid) ? isAlive(pid) : true;
}

/** Takes out of postgresql.auto.conf what pgBackRest wrote for this recovery, so that no later start follows it. */
export async function forgetTarget(server: IsolatedServer): Promise<void> {
  const path = join(server.dataDirectory, "postgresql.auto.conf");
  const lines = (await readFile(path, "utf8")).split("\n");
  const kept = lines.filter((line) => !/^\s*(recovery_target\w*|restore_command)\s*=/.test(line));
  const client = await connectTo({ host: server.socketDirectory, port: server.port });
  try {
    for (const name of new Set(lines.filter((line) => !kept.includes(line)).map((line) => line.split("=")[0]?.trim() ?? ""))) await client.query(`ALTER SYSTEM RESET ${name}`);
    await client.query("SELECT pg_reload_conf()");
  } catch (error) {
    throw new DrError({ kind: "failed", what: `the recovery's settings cannot be taken back: ${messageOf(error)}`, where: path, todo: "Remove restore_command and recovery_target… from it." });
  } finally {
    await client.end();
  }
}

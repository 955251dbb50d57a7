import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { z } from "zod";
import type { Progress } from "../../runner/context.ts";
import { DrError } from "../../runner/errors.ts";
import { pgbackrestError } from "../../runner/stores/postgres/faults.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import { run, startServer, type ChildOptions, type OsUser, type Server } from "../../runner/system/process.ts";
import { findProgram, lookUpProgram } from "../../runner/system/programs.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { drillMarker } from "../environments/local/processes.ts";
import type { SourceRepository } from "./repository.ts";

/** Where a drill on somebody's repository works: a folder of its own, as the user that may run PostgreSQL. */
export interface SourcePlace {
  readonly root: string;
  readonly user: OsUser | undefined;
  readonly drill: string;
  readonly signal: AbortSignal;
  readonly networkNamespace: number | undefined;
}

export interface Chosen {
  readonly stanza: string;
  readonly label: string;
  /** Major version of PostgreSQL. */
  readonly version: number;
  readonly stoppedAt: string;
  /** Of the database, in bytes. */
  readonly bytes: number;
  readonly configFile: string;
  readonly dataDirectory: string;
  readonly binDirectory: string;
}

/** Seconds. A foreign database may be large: only a hang is ended. */
const lookDeadline = 120;
/** pgBackRest's own codes and that of a kill: each is turned into words. */
const anyCode = Array.from({ length: 256 }, (_, code) => code);
const restoreDeadline = 24 * 3_600;

const childOptions = (place: SourcePlace): ChildOptions => ({ cwd: place.root, user: place.user, env: { [drillMarker]: place.drill, HOME: place.root }, signal: place.signal, networkNamespace: place.networkNamespace });

const infoSchema = z.array(
  z.object({
    name: z.string(),
    status: z.object({ code: z.int(), message: z.string() }),
    /** Where something is wrong, the stanza's own status only says "other". */
    repo: z.array(z.object({ status: z.object({ code: z.int(), message: z.string() }) })),
    db: z.array(z.object({ id: z.int(), version: z.string() })),
    backup: z.array(z.object({ label: z.string(), database: z.object({ id: z.int() }), timestamp: z.object({ stop: z.number() }), info: z.object({ size: z.number() }) })),
  }),
);

function configuration(repository: SourceRepository, stanza: string | undefined, data: string, root: string): string {
  const global = { ...repository.options, "lock-path": join(root, "lock"), "spool-path": join(root, "spool"), "log-level-file": "off", "archive-async": "y", "process-max": "2" };
  const lines = Object.entries(global).map(([key, value]) => `${key}=${value}`);
  return ["[global]", ...lines, ...(stanza === undefined ? [] : [`[${stanza}]`, `pg1-path=${data}`]), ""].join("\n");
}

/** What `pgbackrest info` lists. A wrong passphrase makes it print bytes inside of its JSON, and end well. */
async function stanzasIn(place: SourcePlace, configFile: string, where: string): Promise<z.infer<typeof infoSchema>> {
  const { code, stdout, stderr } = await run(await findProgram("pgbackrest"), [`--config=${configFile}`, "--log-level-console=warn", "info", "--output=json", "--io-timeout=5"], { ...childOptions(place), deadline: lookDeadline, accept: anyCode });
  try {
    if (code === 0) return infoSchema.parse(JSON.parse(stdout.slice(stdout.indexOf("["))));
  } catch (cause) {
    throw Object.assign(pgbackrestError("info", where, code, stdout), { cause });
  }
  throw pgbackrestError("info", where, code, stdout + stderr);
}

/** Looks into the repository and chooses stanza and backup; finds the server programs of the same major version. */
export async function choose(place: SourcePlace, repository: SourceRepository, wanted: { readonly stanza?: string; readonly backup?: string }): Promise<Chosen> {
  const { root, user } = place;
  for (const part of ["lock", "spool", "data", "run"]) await makeFolder(join(root, part), { owner: user });
  const configFile = join(root, "pgbackrest.conf");
  const data = join(root, "data");
  const write = (stanza: string | undefined) => writeDurably(configFile, configuration(repository, stanza, data, root), { mode: 0o600, owner: user });
  await write(undefined);
  const stanzas = await stanzasIn(place, configFile, repository.where);
  const broken = stanzas.find(({ status }) => status.code === 99);
  if (broken !== undefined) throw pgbackrestError("info", repository.where, 99, [...broken.repo.map(({ status }) => status.message), broken.status.message].join("\n"));
  const names = stanzas.map(({ name }) => name).join(", ");
  const stanza = wanted.stanza === undefined ? (stanzas.length === 1 ? stanzas[0] : undefined) : stanzas.find(({ name }) => name === wanted.stanza);
  if (stanza === undefined) throw new DrError({ kind: "usage", what: stanzas.length === 0 ? "the repository holds no stanza" : `the repository holds the stanzas ${names}`, where: repository.where, todo: stanzas.length === 0 ? "Give the folder that holds `archive` and `backup` (repo1-path), and its passphrase by --source-config." : "Name one of them by --stanza." });
  const backup = wanted.backup === undefined ? stanza.backup.at(-1) : stanza.backup.find(({ label }) => label === wanted.backup);
  if (backup === undefined) throw new DrError({ kind: "usage", what: wanted.backup === undefined ? `stanza ${stanza.name} has no backup (${stanza.status.message})` : `there is no backup ${wanted.backup}; there are: ${stanza.backup.map(({ label }) => label).join(", ")}`, where: repository.where, todo: "Name one that `pgbackrest info` lists, or check the passphrase." });
  const version = Math.trunc(Number(stanza.db.find(({ id }) => id === backup.database.id)?.version));
  await write(stanza.name);
  return { stanza: stanza.name, label: backup.label, version, stoppedAt: new Date(backup.timestamp.stop * 1_000).toISOString(), bytes: backup.info.size, configFile, dataDirectory: data, binDirectory: await programsOf(version) };
}

async function programsOf(version: number): Promise<string> {
  const folder = `/usr/lib/postgresql/${version}/bin`;
  if ((await lookUpProgram("postgres", folder)) === join(folder, "postgres")) return folder;
  throw new DrError({ kind: "unavailable", what: `the backup is of PostgreSQL ${version}, whose server is not on this machine`, where: folder, todo: `Install it (apt-get install postgresql-${version}): a restored database needs the same major version.` });
}

/** Restores files; the repository is only read, and archiving is off in what comes out. */
export async function restore(place: SourcePlace, chosen: Chosen, progress: (done: Omit<Progress, "step">) => void): Promise<void> {
  const args = [`--config=${chosen.configFile}`, `--stanza=${chosen.stanza}`, `--set=${chosen.label}`, "--archive-mode=off", "--log-level-console=detail", "--log-timestamp=n", "restore"];
  let done = 0;
  const onLine = (line: string) => {
    const percent = /restore file .*?([\d.]+)%\)/.exec(line)?.[1];
    if (percent === undefined) return;
    done = Math.max(done, (Number(percent) / 100) * chosen.bytes);
    progress({ done, total: chosen.bytes, unit: "bytes" });
  };
  await run(await findProgram("pgbackrest"), args, { ...childOptions(place), deadline: restoreDeadline, onLine });
}

/** What a standby must have at least as much of as its primary; the control file tells the primary's (PostgreSQL refuses otherwise). */
const inherited: readonly (readonly [label: string, parameter: string])[] = [
  ["max_connections setting", "max_connections"],
  ["max_worker_processes setting", "max_worker_processes"],
  ["max_wal_senders setting", "max_wal_senders"],
  ["max_prepared_xacts setting", "max_prepared_transactions"],
  ["max_locks_per_xact setting", "max_locks_per_transaction"],
];

/** Starts the restored server on a socket of its own and waits until recovery has ended. */
export async function startRestored(place: SourcePlace, chosen: Chosen): Promise<{ readonly server: Server; readonly socketDirectory: string; readonly port: number }> {
  const { root, user, signal } = place;
  const socketDirectory = join(root, "run");
  const port = 5432; // names the socket's file; nothing listens on it
  const { stdout: control } = await run(join(chosen.binDirectory, "pg_controldata"), ["-D", chosen.dataDirectory], { ...childOptions(place), deadline: 30 });
  const limits = inherited.flatMap(([label, parameter]) => {
    const value = new RegExp(`^${label}:\\s+(\\d+)$`, "m").exec(control)?.[1];
    return value === undefined ? [] : [`${parameter} = ${value}`];
  });
  const own = [
    ...limits,
    // Debian keeps the configuration outside of the data, and so outside of the backup.
    `include_if_exists = '${join(chosen.dataDirectory, "postgresql.conf")}'`,
    "listen_addresses = ''", `port = ${port}`, `unix_socket_directories = '${socketDirectory}'`, `hba_file = '${join(root, "hba.conf")}'`, `ident_file = '${join(root, "ident.conf")}'`,
    "archive_mode = off", "ssl = off", "primary_conninfo = ''", "primary_slot_name = ''", "synchronous_standby_names = ''", "logging_collector = off", "log_destination = stderr", "external_pid_file = ''", "",
  ];
  await writeDurably(join(root, "postgresql.conf"), own.join("\n"), { mode: 0o600, owner: user });
  await writeDurably(join(root, "hba.conf"), "local all all trust\n", { mode: 0o600, owner: user }); // the socket's folder is ours alone
  await writeDurably(join(root, "ident.conf"), "", { mode: 0o600, owner: user });
  const logFile = join(root, "postgres.log");
  const server = await startServer("restored PostgreSQL", join(chosen.binDirectory, "postgres"), ["-D", chosen.dataDirectory, "-c", `config_file=${join(root, "postgresql.conf")}`], { ...childOptions(place), logFile });
  await waitFor("the end of recovery", async () => {
    if (!server.running()) throw await diedWhileRecovering(logFile);
    return (await access(join(socketDirectory, `.s.PGSQL.${port}`)).then(() => true, () => false)) && (await hasPromoted(socketDirectory, port));
  }, { within: restoreDeadline, every: 0.2, signal, fatal: () => !server.running() });
  return { server, socketDirectory, port };
}

async function diedWhileRecovering(logFile: string): Promise<DrError> {
  const log = await readFile(logFile, "utf8");
  return new DrError({ kind: "failed", what: `the restored server ended: ${log.trim().split("\n").slice(-5).join(" | ")}`, where: logFile, todo: "Read its words; a missing library or a gap in the WAL are the usual reasons." });
}

async function hasPromoted(host: string, port: number): Promise<boolean> {
  const client = new Client({ host, port, user: "postgres", database: "postgres", connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined); // the query rejects with the same error
  try {
    await client.connect();
    const { rows } = await client.query<{ over: boolean }>("select not pg_is_in_recovery() as over");
    return rows[0]?.over === true;
  } finally {
    await client.end();
  }
}

/** pgBackRest's repositories as the run's configuration describes them, each with a configuration file of its own. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pgbackrestConf, type PgbackrestConf, type PgbackrestHost, type PgbackrestRepository } from "../../../plan/config/pgbackrest.ts";
import { parseVersion, type ToolVersion } from "../../../plan/config/version.ts";
import { readSecret, type BackendConfig } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { s3Access } from "../../storage/credentials.ts";
import { dyingWithUs } from "../../system/dying.ts";
import { makeFolder, writeDurably } from "../../system/files.ts";
import { run, stream, type OsUser, type RunResult, type StreamingCommand } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { databaseUser } from "../../system/user.ts";
import { pgbackrestError } from "./faults.ts";

export interface Repository {
  /** The backend's. */
  readonly name: string;
  /** N of pgBackRest's `repoN`. */
  readonly index: number;
  readonly backend: StorageBackend;
  /** Where it lies inside the backend, without slashes at its ends: keys of `backend` begin with it. */
  readonly keyPrefix: string;
  /** Reads the secrets: fails for this repository alone. */
  settings(): Promise<PgbackrestRepository>;
}

/** In the configuration's order, which numbers them. */
export function repositoriesOf(context: RunContext): Repository[] {
  const { config, backends } = context;
  const repositories = config.backends.flatMap((backend, position): Repository[] => {
    const opened = backends[position];
    if (backend.pgbackrest === undefined || opened === undefined) return [];
    const keyPrefix = backend.pgbackrest.path.replace(/^\/+|\/+$/g, "");
    return [{ name: backend.name, index: position + 1, backend: opened, keyPrefix, settings: () => settingsOf(backend, position + 1, config.readOnly) }];
  });
  if (repositories.length > 0) return repositories;
  throw new DrError({ kind: "usage", what: "no backend has a pgBackRest repository, so PostgreSQL has nowhere to go", where: "backends in the configuration", todo: "Give a backend `pgbackrest: { path, cipherPassFile }`." });
}

async function settingsOf(backend: BackendConfig, index: number, readOnly: boolean): Promise<PgbackrestRepository> {
  const { pgbackrest } = backend;
  if (pgbackrest === undefined) throw new RangeError("a backend without pgbackrest is no repository");
  const cipherPass = await readSecret(pgbackrest.cipherPassFile, `the passphrase of the repository ${backend.name}`);
  if (backend.kind === "folder") return { kind: "posix", index, path: join(backend.path, pgbackrest.path), cipherPass, readOnly };
  const { endpoint, bucket, region, prefix, caFile } = backend;
  return {
    kind: "s3", index, endpoint, bucket, region, cipherPass, readOnly,
    path: `/${prefix === "" ? "" : `${prefix}/`}${pgbackrest.path.replace(/^\/+|\/+$/g, "")}`,
    access: await s3Access(backend.credentialsFile),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/** A folder with everything of one use of pgBackRest: configuration, spool, locks, logs. */
export interface Site {
  readonly folder: string;
  /** Data directory that the configuration names; a restore names its target. */
  readonly pgPath: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly user?: string;
  /** Where the database is on another host: pgBackRest's TLS server there. */
  readonly host?: PgbackrestHost;
  /** Shared with the archiver of a server on this machine; default: inside the folder. */
  readonly spool?: string;
}

export interface CommandOptions {
  /** Seconds. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** Exit codes that the caller judges himself. */
  readonly accept?: readonly number[];
  readonly cwd?: string;
}

/** A repository that pgBackRest can be called on: its configuration file names it alone. */
export interface OpenRepository {
  readonly repository: Repository;
  readonly name: string;
  readonly stanza: string;
  readonly configFile: string;
  readonly program: string;
  readonly owner: OsUser | undefined;
  /** Runs `pgbackrest ARGS`; a failure is a `DrError` that names the repository. */
  command(args: readonly string[], options: CommandOptions): Promise<RunResult>;
  /** A file of the repository, decrypted and still compressed. */
  file(path: string, signal?: AbortSignal): StreamingCommand;
}

export const stanzaOf = ({ config }: RunContext): string => config.postgres?.stanza ?? "main";

/** The site that backups and everything else on the database's host use. */
export function productionSite({ config }: RunContext): Site {
  const { postgres } = config;
  const place = { folder: join(config.workDirectory, "pgbackrest"), ...(config.spoolDirectory === undefined ? {} : { spool: config.spoolDirectory }) };
  if (postgres === undefined) return { ...place, pgPath: join(config.workDirectory, "no-data") };
  if (postgres.pgbackrestServer !== undefined) {
    // What is said here of PostgreSQL's place overrules the host's own file: only its folder is, which must be said.
    const { host: name, port, caFile, certFile, keyFile, configFile, dataDirectory } = postgres.pgbackrestServer;
    return { ...place, pgPath: dataDirectory, host: { name, port, caFile, certFile, keyFile, configFile } };
  }
  return { ...place, pgPath: postgres.dataDirectory ?? join(config.workDirectory, "no-data"), port: postgres.port, user: postgres.user, ...(postgres.host.startsWith("/") ? { socketPath: postgres.host } : {}) };
}

/** Writes the repository's configuration and returns the way to call pgBackRest on it. */
export async function openRepository(context: RunContext, repository: Repository, site: Site): Promise<OpenRepository> {
  const owner = databaseUser(context.config.databaseUser);
  const stanza = stanzaOf(context);
  const { program, version } = await pgbackrestProgram();
  const folder = await makeFolder(site.folder, { owner });
  const place = (name: string) => makeFolder(join(folder, name), { owner });
  const [lockPath, logPath, ownSpool] = [await place("lock"), await place("log"), await place("spool")];
  const text = pgbackrestConf({
    plan: context.plan, version, stanza, repositories: [await repository.settings()],
    pg: pgOf(site),
    spool: site.spool ?? ownSpool, lockPath, logPath, processMax: processMax(),
  });
  const configFile = join(folder, `${repository.name}.conf`);
  await writeDurably(configFile, text, { mode: 0o600, owner });
  return handle({ repository, stanza, configFile, program, owner, context });
}

const pgOf = ({ pgPath: path, port, socketPath, user, host }: Site): PgbackrestConf["pg"] => ({
  path,
  ...(port === undefined ? {} : { port }),
  ...(socketPath === undefined ? {} : { socketPath }),
  ...(user === undefined ? {} : { user }),
  ...(host === undefined ? {} : { host }),
});

/** More streams than this hardly help against one store, and each costs memory. */
export const processMax = (): number => Math.min(8, Math.max(2, availableParallelism()));

interface Handle {
  readonly repository: Repository;
  readonly stanza: string;
  readonly configFile: string;
  readonly program: string;
  readonly owner: OsUser | undefined;
  readonly context: RunContext;
}

function handle({ repository, stanza, configFile, program, owner, context }: Handle): OpenRepository {
  return {
    repository, name: repository.name, stanza, configFile, program, owner,
    async command(args, { deadline, signal = context.signal, onLine, accept = [], cwd = "/" }) {
      // An orphan would hold the stanza's lock, and the next run would skip.
      const [file, whole] = await dyingWithUs(program, [`--config=${configFile}`, `--stanza=${stanza}`, ...args]);
      const result = await run(file, whole, { deadline, signal, cwd, user: owner, accept: everyCode, ...(onLine === undefined ? {} : { onLine }) });
      if (result.code === 0 || accept.includes(result.code)) return result;
  throw pgbackrestError(args.find((arg) => !arg.startsWith("-")) ?? "", `repository ${repository.name}`, result.code, result.stderr.trim() === "" ? result.stdout : result.stderr);
    },
    file: (path, signal = context.signal) => stream(program, [`--config=${configFile}`, `repo-get`, path], { deadline: fileDeadline, signal, cwd: "/", user: owner }),
  };
}

/** Seconds for one file of a repository: a WAL segment or a manifest. */
const fileDeadline = 120;
const everyCode = Array.from({ length: 256 }, (_, code) => code);

let known: Promise<{ readonly program: string; readonly version: ToolVersion }> | undefined;

/** pgBackRest's path and version, looked up once. */
export function pgbackrestProgram(): Promise<{ readonly program: string; readonly version: ToolVersion }> {
  known ??= (async () => {
    const program = await findProgram("pgbackrest");
    const { stdout } = await run(program, ["version"], { deadline: 20, cwd: "/" });
    const version = parseVersion(stdout);
    if (version === undefined) throw new DrError({ kind: "unavailable", what: `pgbackrest does not say its version: ${stdout.trim()}`, where: program, todo: "Install pgBackRest 2.45 or newer." });
    return { program, version };
  })();
  return known;
}

import { join } from "node:path";
import { archiveCommand, pgbackrestConf, type PgbackrestRepository } from "../../../plan/config/pgbackrest.ts";
import { parseVersion, type ToolVersion } from "../../../plan/config/version.ts";
import type { Plan } from "../../../plan/types.ts";
import { readSecret, type BackendConfig } from "../../../runner/config.ts";
import { DrError, messageOf } from "../../../runner/errors.ts";
import { s3Access } from "../../../runner/storage/credentials.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { run, type OsUser } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import type { Member } from "./layout.ts";

export const stanza = "main";
/** Of two cores: the servers of the drill want the other one. */
const processMax = 2;
/** Seconds. */
const stanzaDeadline = 60;

export interface Pgbackrest {
  readonly program: string;
  readonly version: ToolVersion;
}

export async function findPgbackrest(): Promise<Pgbackrest> {
  const program = await findProgram("pgbackrest");
  const { stdout } = await run(program, ["version"], { deadline: 10 });
  const version = parseVersion(stdout);
  if (version === undefined) throw new DrError({ kind: "unavailable", what: `pgbackrest does not tell its version: ${stdout.trim()}`, where: program, todo: "Install it again from the distribution." });
  return { program, version };
}

async function repositoryOf(config: BackendConfig, index: number): Promise<PgbackrestRepository> {
  if (config.pgbackrest === undefined) throw new RangeError(`the backend ${config.name} holds no repository`);
  const base = { index, cipherPass: await readSecret(config.pgbackrest.cipherPassFile, "the passphrase of the repository") };
  if (config.kind === "folder") return { kind: "posix", ...base, path: join(config.path, config.pgbackrest.path) };
  const { bucket, endpoint, region, caFile } = config;
  return { kind: "s3", ...base, path: config.pgbackrest.path, endpoint, bucket, region, access: await s3Access(config.credentialsFile), ...(caFile === undefined ? {} : { caFile }) };
}

/** Where a member's archiver spools. */
export const spoolOf = (member: Member): string => join(member.folder, "pgbackrest", "spool");
const confOf = (member: Member): string => join(member.folder, "pgbackrest.conf");
export const archiveCommandOf = (member: Member, { program }: Pgbackrest): string => archiveCommand(confOf(member), stanza, program);

/** Writes the archiver's configuration of one member: it pushes to every repository. */
export async function writeArchiverConf(member: Member, plan: Plan, { version }: Pgbackrest, backends: readonly BackendConfig[], owner: OsUser | undefined): Promise<void> {
  await makeFolder(member.folder, { owner });
  const base = await makeFolder(join(member.folder, "pgbackrest"), { owner });
  const folder = (name: string) => makeFolder(join(base, name), { owner });
  const text = pgbackrestConf({
    plan,
    version,
    stanza,
    repositories: await Promise.all(backends.map((backend, index) => repositoryOf(backend, index + 1))),
    pg: { path: member.dataDirectory, port: member.postgresPort, socketPath: member.socketDirectory, user: "postgres" },
    spool: await folder("spool"),
    lockPath: await folder("lock"),
    logPath: await folder("log"),
    processMax,
  });
  await writeDurably(confOf(member), text, { mode: 0o600, owner });
}

/** What pgBackRest ends with where somebody holds its lock. */
const lockBusy = 50;

/**
 * Makes the stanza in every repository, from the leader's host. The archiver, which has nowhere to push to before,
 * holds the lock for a moment now and then: it is tried again.
 */
export async function createStanza(member: Member, { program }: Pgbackrest, user: OsUser | undefined, signal?: AbortSignal): Promise<void> {
  const args = [`--config=${confOf(member)}`, `--stanza=${stanza}`, "--log-level-console=warn", "stanza-create"];
  const aborted = signal === undefined ? {} : { signal };
  let failure: Error | undefined;
  const attempt = async (): Promise<boolean> => {
    try {
      const { code } = await run(program, args, { cwd: member.folder, env: { HOME: member.folder }, user, deadline: stanzaDeadline, accept: [0, lockBusy], ...aborted });
      return code === 0;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(messageOf(error)); // not the lock: another try would end alike
      return true;
    }
  };
  await waitFor("the lock of the archiver", attempt, { within: stanzaDeadline, every: 0.2, ...aborted });
  if (failure !== undefined) throw failure;
}

import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { patroniYml } from "../../../plan/config/patroni.ts";
import { postgresParameters, type ClusterMember } from "../../../plan/config/postgresql.ts";
import { parseVersion, type ToolVersion } from "../../../plan/config/version.ts";
import type { Plan } from "../../../plan/types.ts";
import { mib } from "../../../plan/units.ts";
import { DrError } from "../../../runner/errors.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { run, startServer, type OsUser, type Server } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";

/** Where one member of the PostgreSQL cluster is; all on 127.0.0.1. */
export interface PatroniMember extends ClusterMember {
  readonly folder: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly postgresPort: number;
  readonly restPort: number;
}

export interface PatroniOptions {
  readonly plan: Plan;
  readonly programs: PostgresPrograms;
  readonly scope: string;
  readonly member: PatroniMember;
  readonly members: readonly PatroniMember[];
  /** `host:port` of each etcd member. */
  readonly etcdHosts: readonly string[];
  readonly archiveCommand: string;
  readonly superuser: Account;
  readonly replication: Account;
  readonly rest: Account;
  /** Accounts of this machine that are the superuser over the Unix socket. */
  readonly localAccounts: readonly string[];
  readonly logFile: string;
  readonly user?: OsUser | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export interface Account {
  readonly name: string;
  readonly password: string;
}

export interface PostgresPrograms {
  readonly patroni: string;
  readonly patroniVersion: ToolVersion;
  readonly binDirectory: string;
  readonly postgresVersion: ToolVersion;
}

async function versionOf(program: string): Promise<ToolVersion> {
  const { stdout } = await run(program, ["--version"], { deadline: 20 });
  const version = parseVersion(stdout);
  if (version === undefined) throw new DrError({ kind: "unavailable", what: `${program} does not tell its version: ${stdout.trim()}`, where: program, todo: "Install it again from the distribution." });
  return version;
}

/** Finds Patroni and the newest PostgreSQL of this machine, with their versions. */
export async function findPostgresPrograms(): Promise<PostgresPrograms> {
  const [patroni, postgres] = await Promise.all([findProgram("patroni"), findProgram("postgres")]);
  const [patroniVersion, postgresVersion] = await Promise.all([versionOf(patroni), versionOf(postgres)]);
  // A link to it (in /usr/local/bin, say) need not have PostgreSQL's other programs beside it.
  return { patroni, patroniVersion, binDirectory: dirname(await realpath(postgres)), postgresVersion };
}

/** Bytes; several servers share one machine. */
const sharedBuffers = mib(128);

/** Starts Patroni for one member; Patroni makes and starts its PostgreSQL. */
export async function startPatroni(options: PatroniOptions): Promise<Server> {
  const { member, plan, programs, user } = options;
  await makeFolder(member.folder, { owner: user });
  await makeFolder(member.socketDirectory, { owner: user });
  const { name: memberName, region, role } = member;
  const parameters = postgresParameters({
    plan,
    version: programs.postgresVersion.major,
    archiveCommand: options.archiveCommand,
    listenAddresses: ["127.0.0.1"],
    port: member.postgresPort,
    socketDirectory: member.socketDirectory,
    sharedBuffers,
  });
  const text = patroniYml({
    plan,
    version: programs.patroniVersion,
    scope: options.scope,
    member: { name: memberName, region, role },
    members: options.members,
    address: "127.0.0.1",
    restPort: member.restPort,
    postgresPort: member.postgresPort,
    etcdHosts: options.etcdHosts,
    dataDirectory: member.dataDirectory,
    binDirectory: programs.binDirectory,
    socketDirectory: member.socketDirectory,
    pgpassFile: join(member.folder, "pgpass"),
    parameters,
    superuser: options.superuser,
    replication: options.replication,
    restCredentials: options.rest,
    localAccounts: options.localAccounts,
    networks: ["127.0.0.0/8"],
    nearReplicas: options.members.filter((one) => one.role === "primary-region").map(({ restPort }) => `http://127.0.0.1:${restPort}/replica`),
  });
  const file = join(member.folder, "patroni.yml");
  await writeDurably(file, text, { mode: 0o600, owner: user });
  return startServer(`patroni ${memberName}`, programs.patroni, [file], { cwd: member.folder, env: { HOME: member.folder, ...options.env }, logFile: options.logFile, user });
}

const statusSchema = z.object({ role: z.string(), state: z.string() });

/**
 * Whether Patroni's member leads and is promoted; `false` also where nobody answers within 2 s. `/primary` alone says
 * 200 as soon as the member has the lock, and a standby that steps back has it for a moment.
 */
export async function isLeader({ restPort }: Pick<PatroniMember, "restPort">): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${restPort}/primary`, { signal: AbortSignal.timeout(2_000) });
    const { role, state } = statusSchema.parse(await answer.json());
    return answer.ok && state === "running" && (role === "master" || role === "primary"); // `master` until Patroni 4
  } catch {
    return false; // nobody there, or somebody who is just starting
  }
}

import { createHash } from "node:crypto";
import { join } from "node:path";
import { redisAcl, redisConf, type RedisRole } from "../../../plan/config/redis.ts";
import { sentinelConf } from "../../../plan/config/sentinel.ts";
import type { Plan } from "../../../plan/types.ts";
import { DrError, messageOf } from "../../../runner/errors.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { run, startServer, type OsUser, type Server } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { connectRedis, type RedisLink } from "../../../runner/stores/redis/connection.ts";

/** Under which name Sentinel knows the primary. */
export const masterName = "blackroad";

export interface RedisPrograms {
  readonly server: string;
  /** As the server says it, e.g. `7.0.15`. */
  readonly version: string;
}

export async function findRedisPrograms(): Promise<RedisPrograms> {
  const server = await findProgram("redis-server");
  const { stdout } = await run(server, ["--version"], { deadline: 10 });
  const version = /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new DrError({ kind: "unavailable", what: `redis-server does not tell its version: ${stdout.trim()}`, where: server, todo: "Install it again from the distribution." });
  return { server, version };
}

interface Common {
  readonly plan: Plan;
  readonly programs: RedisPrograms;
  readonly port: number;
  /** Everything of the server; made where it is missing. */
  readonly folder: string;
  readonly logFile: string;
  readonly user?: OsUser | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export interface RedisOptions extends Common {
  readonly name: string;
  readonly socket: string;
  /** The password of each user. */
  readonly passwords: Readonly<Record<RedisRole, string>>;
  readonly replicaOf?: { readonly host: string; readonly port: number };
}

const hashed = (password: string) => ({ sha256: createHash("sha256").update(password).digest("hex") });

/** Starts a Redis with its AOF, as the primary or as a replica. That it answers is for the caller to wait for. */
export async function startRedis(options: RedisOptions): Promise<Server> {
  const { folder, name, passwords, plan, port, programs, replicaOf, socket, user } = options;
  await makeFolder(folder, { owner: user });
  const dir = await makeFolder(join(folder, "data"), { owner: user });
  const aclFile = join(folder, "users.acl");
  const users = Object.fromEntries(Object.entries(passwords).map(([role, password]) => [role, hashed(password)]));
  await writeDurably(aclFile, redisAcl({ users }), { mode: 0o600, owner: user });
  const file = join(folder, "redis.conf");
  const masterAuth = { user: "replica", password: passwords.replica };
  const text = redisConf({ plan, version: programs.version, port, bind: ["127.0.0.1"], socket, dir, aclFile, masterAuth, ...(replicaOf === undefined ? {} : { replicaOf }) });
  await writeDurably(file, text, { mode: 0o600, owner: user }); // Sentinel has the server rewrite it
  return startServer(`redis ${name}`, programs.server, [file], { cwd: folder, env: { HOME: folder, ...options.env }, logFile: options.logFile, user });
}

export interface SentinelOptions extends Common {
  readonly name: string;
  readonly master: { readonly host: string; readonly port: number };
  /** Of Redis's user `sentinel`. */
  readonly password: string;
}

export async function startSentinel(options: SentinelOptions): Promise<Server> {
  const { folder, master, name, plan, port, programs, user } = options;
  await makeFolder(folder, { owner: user });
  const dir = await makeFolder(join(folder, "data"), { owner: user });
  const file = join(folder, "sentinel.conf");
  const text = sentinelConf({ plan, version: programs.version, name, port, bind: ["127.0.0.1"], dir, masters: [{ name: masterName, ...master }], auth: { user: "sentinel", password: options.password } });
  await writeDurably(file, text, { mode: 0o600, owner: user });
  return startServer(`sentinel ${name}`, programs.server, [file, "--sentinel"], { cwd: folder, env: { HOME: folder, ...options.env }, logFile: options.logFile, user });
}

/** Asks one server of 127.0.0.1 a question over a connection of its own. */
async function asking<T>(port: number, ask: (link: RedisLink) => Promise<T>, login?: { readonly user: string; readonly passwordFile: string }): Promise<T> {
  const link = await connectRedis({ host: "127.0.0.1", port, user: login?.user ?? "default", passwordFile: login?.passwordFile });
  try {
    return await ask(link);
  } finally {
    link.close();
  }
}

/** The port of the primary, as the first Sentinel that answers knows it. */
export async function primaryBySentinel(sentinelPorts: readonly number[]): Promise<number> {
  const said: string[] = [];
  for (const port of sentinelPorts) {
    try {
      const answer = await asking(port, (link) => link.send("SENTINEL", "get-master-addr-by-name", masterName));
      if (Array.isArray(answer)) return Number(answer[1]);
      said.push(`${port}: it knows no ${masterName}`);
    } catch (error) {
      said.push(`${port}: ${messageOf(error)}`);
    }
  }
  throw new DrError({ kind: "unavailable", what: `no Sentinel knows the primary: ${said.join("; ")}`, where: `ports ${sentinelPorts.join(", ")}`, todo: "See whether the Sentinels run." });
}

/** How many replicas and other Sentinels a Sentinel knows of the primary: it can fail over only to what it knows. */
export async function sentinelKnows(port: number): Promise<{ readonly replicas: number; readonly sentinels: number }> {
  return asking(port, async (link) => {
    const answer = await link.send("SENTINEL", "master", masterName);
    const fields = new Map<string, string>();
    const list = Array.isArray(answer) ? answer.map(String) : Object.entries(answer ?? {}).flat().map(String);
    for (let index = 0; index + 1 < list.length; index += 2) fields.set(list[index] ?? "", list[index + 1] ?? "");
    return { replicas: Number(fields.get("num-slaves") ?? 0), sentinels: Number(fields.get("num-other-sentinels") ?? 0) };
  });
}

/** `role:…` of INFO replication, and whether a replica's link is up. */
export async function redisRole(port: number, login: { readonly user: string; readonly passwordFile: string }): Promise<{ readonly role: "primary" | "replica"; readonly linkUp: boolean }> {
  return asking(
    port,
    async (link) => {
      const info = String(await link.send("INFO", "replication"));
      return { role: info.includes("role:master") ? ("primary" as const) : ("replica" as const), linkUp: info.includes("master_link_status:up") };
    },
    login,
  );
}

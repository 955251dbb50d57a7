import { randomBytes } from "node:crypto";
import { chown, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { isolatedRedisConf } from "../../../plan/config/redis-isolated.ts";
import { redisVersion } from "../../../plan/config/redis.ts";
import { atLeast } from "../../../plan/config/version.ts";
import type { Plan } from "../../../plan/types.ts";
import { bytes as size, transferTime } from "../../../plan/units.ts";
import { DrError } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { longestSocketPath, makeFolder, writeDurably } from "../../system/files.ts";
import { killGroup, run, startServer, type OsUser } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { waitFor } from "../../system/wait.ts";
import { connectRedis, type RedisLink } from "./connection.ts";
import { readInfo } from "./server-state.ts";

export interface IsolatedServerOptions {
  readonly plan: Plan;
  /** Holds nothing but the dump. */
  readonly dir: string;
  /** The decrypted RDB; it is moved into the server's own layout. */
  readonly rdb: { readonly path: string; readonly bytes: number };
  readonly owner: OsUser | undefined;
  /** Default: `redis.sock` in `dir`. */
  readonly socket?: string;
  readonly port?: number;
  /** Whether it outlives this process. */
  readonly daemon: boolean;
  readonly signal: AbortSignal;
}

export interface IsolatedServer {
  readonly pid: number;
  readonly socket: string;
  /** Holds the server's password, where it listens on a port. */
  readonly passwordFile: string | undefined;
  readonly version: string;
  /** From its start until it had loaded everything. */
  readonly loadSeconds: number;
  /** As whoever owns the socket. */
  connect(): Promise<RedisLink>;
  stop(): Promise<void>;
}

/** The planned loading time is a mean of another machine; a server is given up only far behind it. */
const patience = 4;
const leastSeconds = 60;

/**
 * Starts a server alone with a dump and waits until it has loaded it. Since version 7 a server with `appendonly yes`
 * ignores a dump.rdb and starts with 0 keys, so the dump becomes the base of the append-only file, with its manifest.
 */
export async function startFromRdb(options: IsolatedServerOptions): Promise<IsolatedServer> {
  const { plan, dir, owner, signal, daemon } = options;
  const program = await findProgram("redis-server");
  const version = await serverVersion(program);
  const socket = options.socket ?? join(dir, "redis.sock");
  if (Buffer.byteLength(socket) > longestSocketPath) throw new DrError({ kind: "usage", what: `the path of the socket is longer than the ${longestSocketPath} bytes that the system allows`, where: socket, todo: "Name a shorter one with --socket." });
  await placeAsBase(options, version);
  const [conf, logFile, pidFile] = [join(dir, "redis.conf"), join(dir, "redis.log"), join(dir, "redis.pid")];
  const passwordFile = options.port === undefined ? undefined : join(dir, "redis.password");
  const tcp = options.port === undefined ? undefined : { port: options.port, password: randomBytes(24).toString("base64url") };
  if (tcp !== undefined && passwordFile !== undefined) await writeDurably(passwordFile, `${tcp.password}\n`, { mode: 0o600, owner });
  await writeDurably(conf, isolatedRedisConf({ plan, version, dir, socket, ...(tcp === undefined ? {} : { tcp }), daemon, pidFile, logFile }), { mode: 0o600, owner });
  const begun = performance.now();
  const started = daemon ? await startDaemon(program, conf, pidFile, options) : await startServer("redis of a verification", program, [conf], { cwd: dir, user: owner, logFile: join(dir, "redis.out"), signal });
  const address = { socket, port: 0, user: "default", ...(passwordFile === undefined ? {} : { passwordFile }) };
  const stop = () => started.stop();
  try {
    await waitUntilLoaded(() => connectRedis(address, signal), () => started.running(), { ...options, logFile });
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: started.pid, socket, passwordFile, version, loadSeconds: secondsSince(begun), connect: () => connectRedis(address, signal), stop };
}

export async function serverVersion(program: string): Promise<string> {
  const { stdout } = await run(program, ["--version"], { deadline: 10 });
  const version = /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new DrError({ kind: "unavailable", what: `redis-server does not say its version: ${stdout.trim()}`, where: program, todo: "Install Redis 7 or later." });
}

async function placeAsBase({ dir, rdb, owner }: IsolatedServerOptions, version: string): Promise<void> {
  const give = async (path: string) => (owner === undefined ? undefined : chown(path, owner.uid, owner.gid));
  if (!atLeast(redisVersion(version), 7)) {
    // Before 7.0 the append-only file is one file, and may begin with an RDB.
    await rename(rdb.path, join(dir, "appendonly.aof"));
    return give(join(dir, "appendonly.aof"));
  }
  const folder = await makeFolder(join(dir, "appendonlydir"), { owner });
  const base = "appendonly.aof.1.base.rdb";
  await rename(rdb.path, join(folder, base));
  await give(join(folder, base));
  await writeDurably(join(folder, "appendonly.aof.manifest"), `file ${base} seq 1 type b\n`, { mode: 0o600, owner });
}

interface Started {
  readonly pid: number;
  running(): boolean;
  stop(): Promise<void>;
}

/** The server goes into the background by itself, in a session of its own: it stays when `dr` ends. */
async function startDaemon(program: string, conf: string, pidFile: string, { dir, owner, signal }: IsolatedServerOptions): Promise<Started> {
  await mkdir(dir, { recursive: true });
  await run(program, [conf], { deadline: 30, cwd: dir, user: owner, signal });
  const pid = await waitFor("the process id of the recovered Redis", async () => Number(await readFile(pidFile, "utf8")) || undefined, { within: 10, every: 0.02 }).catch(async (cause: unknown) => {
    throw new DrError({ kind: "failed", what: `the recovered Redis ended as it started: ${await lastWords(join(dir, "redis.log"))}`, where: dir, todo: "Correct what its log says.", cause });
  });
  const running = () => alive(pid);
  return {
    pid,
    running,
    stop: async () => {
      if (running()) killGroup(pid, "SIGTERM");
      await waitFor("the end of the recovered Redis", () => !running(), { within: 10, every: 0.02 }).catch(() => killGroup(pid, "SIGKILL"));
    },
  };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "it wrote no log");
  return text.trim().split("\n").slice(-4).join(" | ");
}

type Look = "loaded" | "ended";

async function waitUntilLoaded(connect: () => Promise<RedisLink>, running: () => boolean, options: IsolatedServerOptions & { readonly logFile: string }): Promise<void> {
  const within = leastSeconds + patience * transferTime(size(options.rdb.bytes), options.plan.rates.redisLoad);
  const look = async (): Promise<Look | undefined> => {
    if (!running()) return "ended";
    const link = await connect();
    try {
      return (await readInfo(link)).get("loading") === "0" ? "loaded" : undefined;
    } finally {
      link.close();
    }
  };
  const seen = await waitFor("the recovered Redis with all of its data loaded", look, { within, every: 0.05, signal: options.signal });
  if (seen === "ended") throw new DrError({ kind: "failed", what: `the server ended as it loaded the dump: ${await lastWords(options.logFile)}`, where: options.dir, todo: "A dump of a newer Redis needs that version's server; otherwise take another copy." });
}

import { createHash } from "node:crypto";
import { join } from "node:path";
import { redisAcl, redisConf, redisRoles, type RedisRole } from "../../plan/config/redis.ts";
import { blackroad } from "../../plan/blackroad.ts";
import type { Plan } from "../../plan/types.ts";
import { serverVersion } from "../../runner/stores/redis/isolated-server.ts";
import { connectRedis, type RedisAddress, type RedisLink } from "../../runner/stores/redis/connection.ts";
import { readInfo } from "../../runner/stores/redis/server-state.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import { startServer, type Server } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { freePort } from "./temporary.ts";

/** A real Redis with the shipped configuration and ACL; `admin` is the test's own user and may do everything. */
export interface TestRedis {
  readonly server: Server;
  readonly dir: string;
  readonly port: number;
  readonly socket: string;
  readonly version: string;
  address(role: RedisRole | "admin"): RedisAddress;
  /** Whoever connects closes. */
  connect(role?: RedisRole | "admin"): Promise<RedisLink>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  readonly folder: string;
  readonly plan?: Plan;
  readonly replicaOf?: TestRedis;
}

/** Of a user of the test's servers: what a shell, a configuration file and UTF-8 find hard. */
export const testPassword = (role: string): string => `${role} "pass" \\word é`;

export async function startTestRedis({ folder, plan = blackroad, replicaOf }: TestRedisOptions): Promise<TestRedis> {
  const program = await findProgram("redis-server");
  const version = await serverVersion(program);
  const dir = await makeFolder(join(folder, "data"));
  const socket = join(folder, "redis.sock");
  const port = await freePort();
  const aclFile = join(folder, "users.acl");
  const hash = (role: string) => createHash("sha256").update(testPassword(role)).digest("hex");
  const users = Object.fromEntries(redisRoles.map((role) => [role, { sha256: hash(role) }]));
  await writeDurably(aclFile, `${redisAcl({ users })}user admin on #${hash("admin")} ~* &* +@all\n`, { mode: 0o600 });
  for (const role of [...redisRoles, "admin"]) await writeDurably(join(folder, `${role}.password`), `${testPassword(role)}\n`, { mode: 0o600 });
  const conf = join(folder, "redis.conf");
  const primary = replicaOf === undefined ? {} : { replicaOf: { host: "127.0.0.1", port: replicaOf.port } };
  const alone = { ...plan, redis: { ...plan.redis, replicaLagBound: 0 as Plan["redis"]["replicaLagBound"] } };
  await writeDurably(conf, redisConf({ plan: alone, version, port, bind: ["127.0.0.1"], socket, dir, aclFile, masterAuth: { user: "replica", password: testPassword("replica") }, ...primary }), { mode: 0o600 });
  const server = await startServer("redis of a test", program, [conf], { cwd: folder, logFile: join(folder, "redis.log") });
  const address = (role: RedisRole | "admin"): RedisAddress => ({ socket, port, user: role, passwordFile: join(folder, `${role}.password`) });
  const redis: TestRedis = { server, dir, port, socket, version, address, connect: (role = "admin") => connectRedis(address(role)), kill: () => server.kill(), stop: () => server.stop() };
  await waitFor("the test's Redis", () => ready(redis, replicaOf !== undefined), { within: 30, every: 0.02 }).catch(async (error: unknown) => {
    await server.kill();
    throw error;
  });
  return redis;
}

async function ready(redis: TestRedis, replica: boolean): Promise<boolean> {
  const link = await redis.connect();
  try {
    const info = await readInfo(link);
    return info.get("loading") === "0" && (!replica || info.get("master_link_status") === "up");
  } finally {
    link.close();
  }
}

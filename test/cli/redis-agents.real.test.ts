import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killGroup, run, stream } from "../../runner/system/process.ts";
import { exitCodes } from "../../runner/errors.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import type { RedisLink } from "../../runner/stores/redis/connection.ts";
import { agentName, portraitOf, seedAgents } from "../harness/agents.ts";
import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";
import { startTestRedis, type TestRedis } from "../harness/redis.ts";
import { s3Installed, startTestS3 } from "../harness/s3.ts";
import { temporaryFolder } from "../harness/temporary.ts";

/** The command as an operator runs it, with two S3 servers behind it. */
describe.skipIf(!s3Installed)("dr with Redis, agents and two S3 servers (needs versitygw)", () => {
  const agents = 1_500;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let redis: TestRedis;
  let postgres: TestPostgres;
  let s3: Awaited<ReturnType<typeof startTestS3>>;
  let database: Client;
  let link: RedisLink;

  beforeAll(async () => {
    folder = await temporaryFolder("cli");
    redis = await startTestRedis({ folder: await makeFolder(join(folder.path, "redis")) });
    postgres = await startTestPostgres({ folder: join(folder.path, "postgres") });
    s3 = await startTestS3(join(folder.path, "s3"));
    database = await postgres.connect();
    link = await redis.connect();
    await seedAgents(database, link, { agents });
    await writeDurably(join(folder.path, "passphrase"), "correct horse\n", { mode: 0o600 });
    for (const role of ["backup", "recovery"] as const) {
      const config = { workDirectory: join(folder.path, "work"), passphraseFile: join(folder.path, "passphrase"), backends: [s3.r2.backend, s3.s3.backend], redis: redis.address(role), postgres: postgres.config };
      await writeDurably(join(folder.path, `${role}.json`), JSON.stringify(config));
    }
  });
  afterAll(async () => {
    link.close();
    await database.end();
    await Promise.all([s3.kill(), postgres.kill(), redis.kill()]);
    await folder.remove();
  });

  const command = resolve(import.meta.dirname, "..", "..", "cli", "dr.ts");
  const argumentsOf = (role: "backup" | "recovery", args: readonly string[]) => [command, "--config", join(folder.path, `${role}.json`), "--json", ...args];

  /** Runs `dr`; an end with another code than the one awaited fails with what it said. */
  async function dr(code: number, role: "backup" | "recovery", ...args: string[]): Promise<Record<string, unknown>> {
    const result = await run(process.execPath, argumentsOf(role, args), { deadline: 120, accept: [0, ...Object.values(exitCodes)] });
    if (result.code !== code) throw new Error(`dr ${args.join(" ")} ended with ${result.code}, not ${code}: ${result.stderr}`);
    return JSON.parse(result.stdout === "" ? "{}" : result.stdout) as Record<string, unknown>;
  }

  it("backs Redis up and recovers it into a server that stays when the command has ended", async () => {
    await dr(0, "backup", "backup", "redis", "snapshot");
    const into = join(folder.path, "recovered");
    expect(await dr(0, "backup", "recover", "redis", "latest", "--into", into)).toMatchObject({ keys: agents, from: "r2" });
    const pid = Number(await readFile(join(into, "redis.pid"), "utf8"));
    expect(() => process.kill(pid, 0)).not.toThrow();
    await dr(exitCodes.refused, "backup", "recover", "redis", "latest", "--into", into, "--force");
    killGroup(pid);
  });

  it("checkpoints agents with at most 64 requests to a backend and recovers one and all of them", async () => {
    const checkpoint = await dr(0, "backup", "backup", "agents", "checkpoint");
    expect(Object.values(checkpoint["requests"] as Record<string, number>).every((count) => count > 0 && count <= 64)).toBe(true);
    const before = await portraitOf(database, link, agentName(77));
    await database.query("delete from episodic_memory where agent_id = $1", [agentName(77)]);
    await link.send("DEL", `agent:${agentName(77)}:state`);
    await dr(0, "recovery", "recover", "agent", agentName(77));
    expect(await portraitOf(database, link, agentName(77))).toEqual(before);
    await database.query("truncate agents, task_history, episodic_memory");
    expect(await dr(0, "recovery", "recover", "agents")).toMatchObject({ agents, failed: [] });
    expect(await dr(exitCodes.failed, "recovery", "recover", "agent", "nobody")).toMatchObject({ error: { what: "No checkpoint found for agent nobody" } });
    await dr(exitCodes.partial, "recovery", "recover", "agents", "--only", "nobody", agentName(1));
  });

  it("says what is wrong with a time, a target and a backup by its exit code", async () => {
    await dr(exitCodes.usage, "recovery", "recover", "agents", "--at", "yesterday");
    await dr(exitCodes.usage, "backup", "recover", "redis", "no-such-backup", "--into", join(folder.path, "nowhere"));
    await dr(exitCodes.usage, "backup", "recover", "redis", "latest");
    expect(await dr(exitCodes.failed, "backup", "recover", "redis", "--at", "2020-01-01", "--into", join(folder.path, "nowhere"))).toMatchObject({ error: { what: "No backup available before target time" } });
  });

  it("leaves nothing behind when it is killed in mid-backup, and the next run works", async () => {
    await link.send("CONFIG", "SET", "rdb-key-save-delay", "2000"); // 1,500 keys: 3 s
    const doomed = stream(process.execPath, argumentsOf("backup", ["backup", "redis", "snapshot"]), { deadline: 60 });
    doomed.stdin.end();
    await expect.poll(() => link.send("INFO", "replication").then(String), { timeout: 20_000 }).toMatch(/slave0:/);
    doomed.kill();
    await doomed.done.catch(() => undefined);
    await link.send("CONFIG", "SET", "rdb-key-save-delay", "0");
    await expect.poll(() => link.send("INFO", "replication").then(String), { timeout: 20_000 }).not.toMatch(/slave0:/);
    await dr(0, "backup", "backup", "redis", "snapshot");
    expect((await readdir(join(folder.path, "work"))).filter((name) => name.startsWith(".spool"))).toEqual([]);
  });

  it("ends with code 3 when one S3 server is down for the whole run, and recovers from the other", async () => {
    await s3.r2.server.kill();
    await dr(exitCodes.partial, "backup", "backup", "redis", "snapshot");
    await dr(exitCodes.partial, "backup", "backup", "agents", "checkpoint");
    const into = join(folder.path, "recovered-from-s3");
    expect(await dr(0, "backup", "recover", "redis", "latest", "--into", into)).toMatchObject({ keys: agents, from: "s3" });
    killGroup(Number(await readFile(join(into, "redis.pid"), "utf8")));
    expect(await dr(0, "recovery", "recover", "agent", agentName(5))).toMatchObject({ agents: 1, rejected: [{ backend: "r2" }] });
  });
});

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BackupRecord } from "../../../../runner/catalog/record.ts";
import type { RunContext } from "../../../../runner/context.ts";
import { DrError } from "../../../../runner/errors.ts";
import { backUpRedis } from "../../../../runner/stores/redis/back-up.ts";
import { connectRedis, type RedisAddress } from "../../../../runner/stores/redis/connection.ts";
import { recoverRedis, type RedisRecovery } from "../../../../runner/stores/redis/recover.ts";
import { verifyRedis } from "../../../../runner/stores/redis/verify.ts";
import { redisWatermark } from "../../../../runner/stores/redis/watermark.ts";
import { makeFolder } from "../../../../runner/system/files.ts";
import { killGroup, run as runCommand } from "../../../../runner/system/process.ts";
import { findProgram } from "../../../../runner/system/programs.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../../harness/context.ts";
import { startTestRedis, type TestRedis } from "../../../harness/redis.ts";
import { freePort, temporaryFolder } from "../../../harness/temporary.ts";

const folder = await temporaryFolder("redis");
let redis: TestRedis;
let replica: TestRedis;
const contexts: TestContext[] = [];
const recovered: RedisRecovery[] = [];
let runs = 0;

beforeAll(async () => {
  redis = await startTestRedis({ folder: join(folder.path, "primary") });
  replica = await startTestRedis({ folder: join(folder.path, "replica"), replicaOf: redis });
});
afterAll(async () => {
  await replica.kill();
  await redis.kill();
  await folder.remove();
});
beforeEach(async () => {
  await admin("FLUSHALL");
  runs += 1;
});
afterEach(() => {
  for (const { pid } of recovered.splice(0)) killGroup(pid);
  for (const context of contexts.splice(0)) context.close();
});

async function admin(...command: string[]): Promise<unknown> {
  const link = await redis.connect();
  try {
    return await link.send(...command);
  } finally {
    link.close();
  }
}

async function context(more: Partial<TestContextOptions> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, `run-${runs}`), ...more, config: { redis: redis.address("backup"), ...more.config } });
  contexts.push(made);
  return made;
}

async function snapshot(run: RunContext, options = {}) {
  const result = await backUpRedis(run, options);
  if (!result.done) throw new Error(result.why);
  return result;
}

async function recover(run: RunContext, options: Partial<Parameters<typeof recoverRedis>[1]> = {}): Promise<RedisRecovery> {
  const result = await recoverRedis(run, { backup: "latest", into: join(folder.path, `into-${runs}`), ...options });
  recovered.push(result);
  return result;
}

async function ask(server: { readonly socket: string }, ...command: string[]): Promise<unknown> {
  const link = await connectRedis({ socket: server.socket, port: 0, user: "default" });
  try {
    return await link.send(...command);
  } finally {
    link.close();
  }
}

/** Changes one byte in the middle of a file. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x01, at);
  await writeFile(path, bytes);
}

const fails = async (work: Promise<unknown>): Promise<DrError> => {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (error instanceof DrError) return error;
  throw new Error(`a DrError is expected, not ${String(error)}`);
};

describe("a snapshot of Redis", () => {
  it("is in every backend, encrypted, and comes back as a server with the same keys, types and expiry times", async () => {
    await admin("SET", "agent:a1:state", JSON.stringify({ sequence: 3, lsn: "0/16B3748" }));
    await admin("HSET", "session:1", "user", "kim");
    await admin("XADD", "realtime:s", "*", "k", "v");
    await admin("SET", "session:2", "soon", "PX", "3600000");
    await admin("RPUSH", "agent:a1:queue", "x", "y");
    const run = await context();
    const { record, outcome } = await snapshot(run);
    expect(outcome).toBe("ok");
    expect(record.details).toMatchObject({ keys: 5, expires: 1, databases: 1, counted: "dump", redisVersion: redis.version });
    expect(record.copies.map((copy) => copy.status)).toEqual(["ok", "ok"]);
    expect(await readFile(join(folder.path, `run-${runs}`, "r2", record.objects[0]?.key ?? ""), "latin1")).not.toContain("agent:a1");
    const result = await recover(run);
    expect(result).toMatchObject({ keys: 5, from: "r2", rejected: [], recoveredTo: record.watermark.time });
    expect(await ask(result, "LRANGE", "agent:a1:queue", "0", "-1")).toEqual(["x", "y"]);
    expect(Number(await ask(result, "PTTL", "session:2"))).toBeGreaterThan(3_000_000);
    expect(await ask(result, "ROLE")).toEqual(["master", 0, []]);
  });

  it("reaches at least to the server's time when it was asked for", async () => {
    await admin("SET", "k", "v");
    const before = (await redisWatermark(await context())).time;
    const { record } = await snapshot(await context());
    expect(record.watermark.time >= before).toBe(true);
    expect(record.watermark.time <= record.finishedAt).toBe(true);
  });

  it("comes back as a server that keeps what it is given through a crash and a restart", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    await snapshot(run);
    const first = await recover(run);
    await ask(first, "SET", "later", "1");
    await expect.poll(() => ask(first, "INFO", "persistence").then(String), { timeout: 5_000 }).toMatch(/aof_pending_bio_fsync:0/);
    killGroup(first.pid);
    await expect.poll(() => ask(first, "PING").then(String, () => "gone")).toBe("gone");
    await runCommand(await findProgram("redis-server"), [join(first.dir, "redis.conf")], { deadline: 10 });
    await expect.poll(() => ask(first, "DBSIZE").catch(() => undefined), { timeout: 5_000 }).toBe(2);
    await ask(first, "SHUTDOWN", "NOSAVE").catch(() => undefined); // it hangs up, as it should
  });

  it("lets nobody in by a port of the machine who does not hold its password", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    await snapshot(run);
    const result = await recover(run, { port: await freePort() });
    const connect = (more: Partial<RedisAddress>) => connectRedis({ host: "127.0.0.1", port: result.port ?? 0, user: "default", ...more }).then(async (link) => String(await link.send("DBSIZE").finally(() => link.close())));
    await expect(connect({})).rejects.toThrow();
    expect(await connect({ passwordFile: result.passwordFile ?? "" })).toBe("1");
    expect((await stat(result.passwordFile ?? "")).mode & 0o777).toBe(0o600);
  });

  it("is taken from a replica as well, and not at all where only the leader is to be backed up", async () => {
    await admin("SET", "k", "v");
    await admin("WAIT", "1", "5000");
    const run = await context({ config: { redis: replica.address("backup") } });
    const { record } = await snapshot(run);
    expect(record.details).toMatchObject({ keys: 1, role: "replica" });
    expect(await backUpRedis(run, { leaderOnly: true })).toMatchObject({ done: false });
    expect((await run.catalog.list()).records).toHaveLength(1);
  });

  it("of a replica that has lost its primary is refused", async () => {
    const alone = await startTestRedis({ folder: join(folder.path, `alone-${runs}`), replicaOf: redis });
    const link = await alone.connect();
    try {
      await link.send("REPLICAOF", "127.0.0.1", "1");
      const error = await fails(backUpRedis(await context({ config: { redis: alone.address("backup") } })));
      expect(error.message).toMatch(/lost its primary/);
    } finally {
      link.close();
      await alone.kill();
    }
  });

  it("without keys counts as failed when the one before had some, unless that is meant", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    const { record: good } = await snapshot(run);
    await admin("FLUSHALL");
    const error = await fails(backUpRedis(run));
    expect(error.message).toMatch(/0 keys.*held 1/);
    expect((await run.catalog.find("latest", { store: "redis" })).id).toBe(good.id);
    const { record } = await snapshot(run, { allowEmpty: true });
    expect(record.details).toMatchObject({ keys: 0 });
    expect((await recover(run)).keys).toBe(0);
  });

  it("leaves no record of a backup when the server is killed in mid-dump, and the next run works", async () => {
    const doomed = await startTestRedis({ folder: join(folder.path, `doomed-${runs}`) });
    const link = await doomed.connect();
    // 10 µs a key: the dump takes seconds, so that the kill falls into it.
    await link.send("CONFIG", "SET", "rdb-key-save-delay", "100");
    await link.send("EVAL", "for i = 1, 200000 do redis.call('SET', 'agent:' .. i .. ':state', string.rep('x', 200)) end", "0");
    link.close();
    const run = await context({ config: { redis: doomed.address("backup") } });
    let killed: Promise<void> | undefined;
    const kill = ({ done }: { done?: number }) => {
      if (done !== undefined && done > 0) killed ??= doomed.kill();
    };
    const watched: RunContext = { ...run, report: kill };
    const error = await fails(backUpRedis(watched));
    await killed;
    expect(killed).toBeDefined();
    expect(error.message).toMatch(/redis-cli|not whole|Redis/);
    const { records } = await run.catalog.list();
    expect(records.map((record) => record.copies.map((copy) => copy.status))).toEqual([["failed", "failed"]]);
    expect(records[0]?.objects).toEqual([]);
    for (const name of ["r2", "s3"]) expect(await readdir(join(folder.path, `run-${runs}`, name)).then((entries) => entries.filter((entry) => entry === "redis"))).toEqual([]);
    await admin("SET", "k", "v");
    const next = await context();
    expect((await snapshot(next)).outcome).toBe("ok");
  });

  it("with one backend down stands in the other and says so", async () => {
    await admin("SET", "k", "v");
    const blocked = join(folder.path, `blocked-${runs}`);
    await writeFile(blocked, "a file where a folder should be");
    const good = { kind: "folder" as const, name: "s3", path: await makeFolder(join(folder.path, `good-${runs}`)) };
    const run = await context({ config: { backends: [{ kind: "folder", name: "r2", path: join(blocked, "x") }, good] } });
    const { record, outcome } = await snapshot(run);
    expect(outcome).toBe("partial");
    expect(record.copies.map(({ backend, status }) => [backend, status])).toEqual([["r2", "failed"], ["s3", "ok"]]);
    const result = await recover(run);
    expect(result).toMatchObject({ from: "s3", keys: 1 });
    expect(result.rejected[0]?.backend).toBe("r2");
  });

  it("says why when no backend takes it, and ends the dump", async () => {
    await admin("SET", "k", "v".repeat(100_000));
    const nowhere = ["r2", "s3"].map((name) => ({ kind: "folder" as const, name, path: join(folder.path, "nowhere", name) }));
    const error = await fails(backUpRedis(await context({ config: { backends: nowhere } })));
    expect(error.message).toMatch(/no backend took the snapshot: r2: .*; s3: /);
    expect(error.exitCode).toBe(5);
    await expect.poll(() => admin("INFO", "replication").then(String), { timeout: 5_000 }).toMatch(/connected_slaves:1\r/); // the replica alone
  });

  it("is refused where the run may only read", async () => {
    const error = await fails(backUpRedis(await context({ config: { readOnly: true } })));
    expect(error.kind).toBe("refused");
  });

  it("says when the password is wrong", async () => {
    const wrong = join(folder.path, "wrong.password");
    await writeFile(wrong, "nonsense");
    const error = await fails(backUpRedis(await context({ config: { redis: { ...redis.address("backup"), passwordFile: wrong } } })));
    expect(error.message).toMatch(/refused the user backup/);
    expect(error.exitCode).toBe(5);
  });
});

describe("recovering Redis", () => {
  it("takes the other backend's copy when a byte of the first was flipped, and says so", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    const { record } = await snapshot(run);
    await flip(join(folder.path, `run-${runs}`, "r2", record.objects[0]?.key ?? ""));
    const result = await recover(run);
    expect(result.from).toBe("s3");
    expect(result.rejected[0]?.error).toMatch(/r2\/redis\/.*dump\.rdb\.pgp/);
  });

  it("fails with a wrong passphrase and leaves nothing readable behind", async () => {
    await admin("SET", "k", "v");
    await snapshot(await context());
    const other = await context({ passphrase: "another one" });
    const into = join(folder.path, `into-${runs}`);
    const error = await fails(recover(other, { into }));
    expect(error.message).toMatch(/passphrase/i);
    expect(await readdir(into)).toEqual([]);
  });

  it("refuses a directory that is not empty, one with an AOF, and one in which a server runs, even when forced", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    await snapshot(run);
    const foreign = join(folder.path, `foreign-${runs}`);
    const first = await recover(run, { into: foreign });
    expect((await fails(recover(run, { into: foreign }))).message).toMatch(/a server runs in this directory/);
    expect((await fails(recover(run, { into: redis.dir, force: true }))).kind).toBe("refused");
    killGroup(first.pid);
    await expect.poll(() => fails(recover(run, { into: foreign })).then(({ message }) => message)).toMatch(/append-only file/);
    const forced = await recover(run, { into: foreign, force: true });
    expect(forced.keys).toBe(1);
    expect(await readdir(forced.setAside ?? "")).toContain("appendonlydir");
  });

  it("never takes the socket of a server that answers, as Redis itself would do", async () => {
    await admin("SET", "k", "production's");
    const run = await context();
    await snapshot(run);
    const error = await fails(recover(run, { socket: redis.socket }));
    expect(error).toMatchObject({ kind: "refused", where: redis.socket });
    expect(await admin("GET", "k")).toBe("production's");
    expect(await readdir(folder.path)).not.toContain(`into-${runs}`);
  });

  it("puts back what it had moved aside where no copy can be used", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    const { record } = await snapshot(run);
    for (const name of ["r2", "s3"]) await flip(join(folder.path, `run-${runs}`, name, record.objects[0]?.key ?? ""));
    const into = await makeFolder(join(folder.path, `kept-${runs}`));
    await writeFile(join(into, "letters.txt"), "keep me");
    expect((await fails(recover(run, { into, force: true }))).message).toMatch(/no copy of .* can be used/);
    expect(await readdir(into)).toEqual(["letters.txt"]);
  });

  it("finds the newest snapshot before a time, and says when there is none", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    const { record: first } = await snapshot(run);
    await admin("SET", "k2", "v");
    const { record: second } = await snapshot(run);
    const between = new Date(Date.parse(second.watermark.time) - 1);
    expect((await recover(run, { backup: { at: between } })).backup).toBe(first.id);
    expect((await fails(recover(run, { backup: { at: new Date(0) } }))).what).toBe("No backup available before target time");
    expect((await fails(recover(run, { backup: { at: new Date(Date.now() + 60_000) } }))).message).toMatch(/future/);
    expect((await fails(recover(run, { backup: "20200101T000000000Z-redis-snapshot-0000" }))).message).toMatch(/no backup/);
  });

  it("brings back what had not expired yet, and counts what had", async () => {
    await admin("SET", "long", "v", "EX", "3600");
    const run = await context();
    const before = async (life: number): Promise<BackupRecord> => {
      await admin("SET", "short", "v", "PX", String(life));
      const { record } = await snapshot(run);
      return record.details["keys"] === 2 ? record : before(life * 2); // a crowded machine takes longer than the key lives
    };
    const record = await before(1_000);
    await expect.poll(() => admin("EXISTS", "short"), { timeout: 60_000 }).toBe(0);
    const result = await recover(run, { backup: record.id });
    expect(result).toMatchObject({ keys: 1, expired: 1 });
  });
});

describe("verifying a snapshot", () => {
  it("restores each copy and reads it", async () => {
    for (let i = 0; i < 50; i++) await admin("SET", `agent:a${i}:state`, JSON.stringify({ sequence: i, lsn: "0/1" }));
    const run = await context();
    const { record } = await snapshot(run);
    const verification = await verifyRedis(run, record);
    expect(verification.ok).toBe(true);
    expect(verification.copies.map(({ backend, ok }) => [backend, ok])).toEqual([["r2", true], ["s3", true]]);
    expect(verification.copies[0]?.checks.map(({ name }) => name)).toContain("a server loads it");
    expect(await readdir(join(run.config.workDirectory, "verify"))).toEqual([]);
  });

  it("names the object and the backend of a flipped byte, and passes the other copy", async () => {
    await admin("SET", "k", "v");
    const run = await context();
    const { record } = await snapshot(run);
    await flip(join(folder.path, `run-${runs}`, "s3", record.objects[0]?.key ?? ""));
    const verification = await verifyRedis(run, record);
    expect(verification.ok).toBe(false);
    expect(verification.copies.map(({ ok }) => ok)).toEqual([true, false]);
    expect(verification.copies[1]?.errors[0]).toContain(`${record.objects[0]?.key ?? ""} in s3`);
  });

  it("names a working memory that is none", async () => {
    await admin("SET", "agent:broken:state", "{");
    const run = await context();
    const { record } = await snapshot(run);
    const verification = await verifyRedis(run, record);
    expect(verification.ok).toBe(false);
    expect(verification.copies[0]?.errors[0]).toMatch(/agent:broken:state/);
  });
});

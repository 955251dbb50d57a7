import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBlock, openIndex } from "../../../runner/agents/block.ts";
import { checkpointAgents, checkpointWhereLeader } from "../../../runner/agents/checkpoint.ts";
import { checkConsistency } from "../../../runner/agents/consistency.ts";
import { readBlock, readIndex } from "../../../runner/agents/read-checkpoint.ts";
import { recoverAgent, recoverAgents } from "../../../runner/agents/recover.ts";
import { restoreAgents } from "../../../runner/agents/restore.ts";
import { openStores } from "../../../runner/agents/stores.ts";
import { verifyAgents } from "../../../runner/agents/verify.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { DrError } from "../../../runner/errors.ts";
import type { RedisLink } from "../../../runner/stores/redis/connection.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { run as runCommand } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { agentName, portraitOf, seedAgents, stateOf } from "../../harness/agents.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../harness/context.ts";
import { startTestPostgres, type TestPostgres } from "../../harness/postgres.ts";
import { startTestRedis, type TestRedis } from "../../harness/redis.ts";
import { s3Installed } from "../../harness/s3.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const agents = 2_500;
const passphrase = "correct horse battery staple";
const folder = await temporaryFolder("agents");
let redis: TestRedis;
let postgres: TestPostgres;
let database: Client;
let link: RedisLink;
let runs = 0;
const contexts: TestContext[] = [];

beforeAll(async () => {
  redis = await startTestRedis({ folder: await makeFolder(join(folder.path, "redis")) });
  postgres = await startTestPostgres({ folder: join(folder.path, "postgres") });
  database = await postgres.connect();
  await database.query("set timezone = 'UTC'");
  link = await redis.connect();
});
afterAll(async () => {
  link.close();
  await database.end();
  await postgres.kill();
  await redis.kill();
  await folder.remove();
});
beforeEach(async () => {
  runs += 1;
  await link.send("FLUSHALL");
  await seedAgents(database, link, { agents });
});
afterEach(() => {
  for (const context of contexts.splice(0)) context.close();
});

async function context(more: Partial<TestContextOptions> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, `run-${runs}`), passphrase, ...more, config: { redis: redis.address("recovery"), postgres: postgres.config, ...more.config } });
  contexts.push(made);
  return made;
}

/** One after another: a connection does one thing at a time. */
async function portraits(...numbers: number[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const n of numbers) all.push(await portrait(n));
  return all;
}

const portrait = (n: number) => portraitOf(database, link, agentName(n));
const stored = (backend: string, key: string) => join(folder.path, `run-${runs}`, backend, key);
const objectOf = (record: BackupRecord, name: string): string => record.objects.find(({ key }) => key.endsWith(name))?.key ?? "";

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
  await writeFile(path, bytes);
}

async function indexOf(record: BackupRecord, backend = "r2") {
  return openIndex(await readFile(stored(backend, objectOf(record, "index.pgp"))), passphrase, "test");
}

const fails = async (work: Promise<unknown>): Promise<DrError> => {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (error instanceof DrError) return error;
  throw new Error(`a DrError is expected, not ${String(error)}`);
};

describe.skipIf(!s3Installed)("a checkpoint of agents (needs versitygw)", () => {
  it("holds every agent in blocks of at most 1,000, in every backend, with a few requests", async () => {
    const { record, outcome, requests, agents: count, keys } = await checkpointAgents(await context());
    expect({ outcome, count, keys }).toEqual({ outcome: "ok", count: agents, keys: agents });
    expect(record.objects).toHaveLength(2);
    const index = await indexOf(record);
    expect(index.blocks.map((block) => block.agents.length)).toEqual([1_000, 1_000, 500]);
    expect(Object.values(requests).every((sent) => sent <= 64)).toBe(true);
    expect(await readFile(stored("s3", index.object))).toEqual(await readFile(stored("r2", index.object)));
  });

  it("needs no right to write: the user of the backups makes it", async () => {
    const { agents: count, keys } = await checkpointAgents(await context({ config: { redis: redis.address("backup") } }));
    expect({ count, keys }).toEqual({ count: agents, keys: agents });
  });

  it("has blocks that gpg opens one by one", async () => {
    const { record } = await checkpointAgents(await context());
    const { object, blocks } = await indexOf(record);
    const second = blocks[1];
    if (second === undefined) throw new Error("there are three blocks");
    const alone = join(folder.path, `block-${runs}.pgp`);
    await writeFile(alone, (await readFile(stored("s3", object))).subarray(second.offset, second.offset + second.length));
    const home = await makeFolder(join(folder.path, `gnupg-${runs}`));
    const secret = join(folder.path, `run-${runs}`, "passphrase");
    const { stdout } = await runCommand(await findProgram("gpg"), ["--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase-file", secret, "--decrypt", alone], { deadline: 60 });
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as { id: string; episodes: unknown[] });
    expect(lines.map(({ id }) => id)).toEqual(second.agents);
    expect(lines[0]?.episodes).toHaveLength(3);
    await runCommand("gpgconf", ["--homedir", home, "--kill", "all"], { deadline: 10 });
  });

  it("is never ahead: its time and LSN are from before and after reading Redis", async () => {
    const { rows } = await database.query<{ lsn: string }>("select pg_current_wal_insert_lsn()::text as lsn");
    const { record } = await checkpointAgents(await context());
    expect(record.watermark.lsn).toBe(rows[0]?.lsn);
    expect(record.watermark.time <= record.finishedAt).toBe(true);
  });

  it("with one backend down is partial, and the agent comes back from the other", async () => {
    const down = join(folder.path, `down-${runs}`);
    const s3 = await makeFolder(join(folder.path, `s3-${runs}`));
    const run = await context({ config: { backends: [{ kind: "folder", name: "r2", path: down }, { kind: "folder", name: "s3", path: s3 }] } });
    expect((await checkpointAgents(run)).outcome).toBe("partial");
    const before = await portrait(7);
    await database.query("delete from agents where id = $1", [agentName(7)]);
    const result = await recoverAgent(run, agentName(7), { keepPresent: false });
    expect(result.rejected[0]?.backend).toBe("r2");
    expect(await portrait(7)).toEqual(before);
  });

  it("is made where PostgreSQL's leader is, also from a replica of Redis, and left to the leader elsewhere", async () => {
    const standby = await startTestPostgres({ folder: join(folder.path, "standby"), standby: true });
    const replica = await startTestRedis({ folder: await makeFolder(join(folder.path, "replica")), replicaOf: redis });
    try {
      const elsewhere = await context({ config: { postgres: standby.config } });
      expect(await checkpointWhereLeader(elsewhere)).toEqual({ elsewhere: expect.stringContaining("is a replica") as string });
      expect((await elsewhere.catalog.list()).records).toEqual([]);
      const led = await context({ config: { redis: replica.address("recovery") } });
      expect(await checkpointWhereLeader(led)).toMatchObject({ agents, keys: agents });
      // A recovery writes, which a replica does not take.
      await expect(recoverAgent(led, agentName(1))).rejects.toThrow(/every Redis here is a replica; the primary is 127\.0\.0\.1/);
    } finally {
      await Promise.all([standby.kill(), replica.kill()]);
    }
  });

  it("that fails is recorded as failed", async () => {
    const run = await context({ config: { postgres: { ...postgres.config, port: 1 } } });
    const error = await fails(checkpointAgents(run));
    expect(error.kind).toBe("unavailable");
    const { records } = await run.catalog.list({ store: "agents" });
    expect(records.map(({ copies }) => copies.map(({ status }) => status))).toEqual([["failed", "failed"]]);
  });
});

describe.skipIf(!s3Installed)("recovering one agent (needs versitygw)", () => {
  it("brings back configuration, tasks, episodes and keys to the byte, with their expiry times", async () => {
    const id = agentName(42);
    const expiresAt = Date.now() + 3_600_000;
    await link.send("RPUSH", `agent:${id}:queue`, "a", "b");
    await link.send("SET", `agent:${id}:lease`, "x", "PXAT", String(expiresAt));
    const before = await portrait(42);
    const neighbour = await portrait(43);
    const run = await context();
    await checkpointAgents(run);
    await database.query("update agents set config = '{}', sequence = 9 where id = $1", [id]);
    await database.query("delete from episodic_memory where agent_id = $1 and sequence = 2", [id]);
    await database.query("insert into episodic_memory values ($1, 9, 'poisoned')", [id]);
    await link.send("SET", `agent:${id}:state`, "broken");
    await link.send("SET", `agent:${id}:stray`, "1");
    await link.send("DEL", `agent:${id}:queue`, `agent:${id}:lease`);
    const result = await recoverAgent(run, id);
    expect(result).toMatchObject({ agents: 1, tasks: 3, episodes: 3, keys: 3, expiredKeys: 0, failed: [] });
    expect(await portrait(42)).toEqual(before);
    expect(await portrait(43)).toEqual(neighbour);
    expect(await link.send("PEXPIRETIME", `agent:${id}:lease`)).toBe(expiresAt);
    const { rows } = await database.query("select status from agents where id = $1", [id]);
    expect(rows).toEqual([{ status: "recovered" }]);
  });

  it("first saves what is there, so that there is a way back", async () => {
    const id = agentName(5);
    const run = await context();
    await checkpointAgents(run);
    await link.send("SET", `agent:${id}:state`, stateOf(5, 4));
    await database.query("update agents set sequence = 4 where id = $1", [id]);
    const later = await portrait(5);
    const { before } = await recoverAgent(run, id);
    expect(before).toMatch(/before-recovery/);
    expect(await portrait(5)).not.toEqual(later);
    await recoverAgent(run, id, { checkpoint: before ?? "" });
    expect(await portrait(5)).toEqual(later);
    const again = await recoverAgent(run, id);
    expect(again.checkpoints[0]?.id).toMatch(/agents-checkpoint/);
  });

  it("takes the newest checkpoint at or before a time, and none after it", async () => {
    const id = agentName(9);
    const run = await context();
    const { record: first } = await checkpointAgents(run);
    await database.query("update agents set sequence = 4, config = '{\"changed\": true}' where id = $1", [id]);
    const { record: second } = await checkpointAgents(run, { only: [id] });
    const newest = await recoverAgent(run, id);
    expect(newest.checkpoints[0]?.id).toBe(second.id);
    const older = await recoverAgent(run, id, { at: new Date(Date.parse(second.watermark.time) - 1) });
    expect(older.checkpoints[0]?.id).toBe(first.id);
    expect((await fails(recoverAgent(run, id, { at: new Date(0) }))).what).toBe(`No checkpoint found for agent ${id}`);
    expect((await fails(recoverAgent(run, id, { at: new Date(Date.now() + 60_000) }))).kind).toBe("usage");
  });

  it("says when no checkpoint holds it, and changes nothing", async () => {
    const run = await context();
    await checkpointAgents(run);
    const error = await fails(recoverAgent(run, "nobody"));
    expect(error.what).toBe("No checkpoint found for agent nobody");
    expect(error.exitCode).toBe(1);
  });

  it("does not bring back keys whose time has passed", async () => {
    const id = agentName(3);
    const run = await context();
    const { keys: others } = await checkpointAgents(run);
    const checkpoint = async (life: number): Promise<void> => {
      await link.send("SET", `agent:${id}:short`, "x", "PX", String(life));
      const { keys } = await checkpointAgents(run);
      if (keys === others) await checkpoint(life * 2); // a crowded machine takes longer than the key lives
    };
    await checkpoint(700);
    await expect.poll(() => link.send("EXISTS", `agent:${id}:short`), { timeout: 60_000 }).toBe(0);
    expect(await recoverAgent(run, id)).toMatchObject({ keys: 1, expiredKeys: 1 });
    expect(await link.send("EXISTS", `agent:${id}:short`)).toBe(0);
  });

  it("costs a read of the catalog, one of the index and one of a block", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const [r2, s3] = run.backends;
    const before = [r2?.requests ?? 0, s3?.requests ?? 0];
    const index = await readIndex(run, record, []);
    const id = agentName(1_234);
    const block = index.blocks.find((candidate) => candidate.agents.includes(id));
    if (block === undefined) throw new Error(`${id} is in no block`);
    expect((await readBlock(run, record, index, block, new Set([id]), [])).map((agent) => agent.id)).toEqual([id]);
    expect([(r2?.requests ?? 0) - (before[0] ?? 0), (s3?.requests ?? 0) - (before[1] ?? 0)]).toEqual([2, 0]);
  });
});

describe.skipIf(!s3Installed)("recovering all agents (needs versitygw)", () => {
  it("rebuilds every one of them in empty stores", async () => {
    const before = await portraits(1, 999, 1_000, 1_001, agents);
    const run = await context();
    await checkpointAgents(run);
    await database.query("truncate agents, task_history, episodic_memory");
    await link.send("FLUSHALL");
    const result = await recoverAgents(run);
    expect(result).toMatchObject({ agents, tasks: agents * 3, episodes: agents * 3, keys: agents, failed: [], before: undefined });
    expect(await portraits(1, 999, 1_000, 1_001, agents)).toEqual(before);
    expect(await checkConsistency(run)).toMatchObject({ ok: true, agents, consistent: agents });
  });

  it("reports an agent that PostgreSQL refuses and recovers the others", async () => {
    const run = await context();
    await checkpointAgents(run);
    await database.query("alter table episodic_memory add constraint picky check (agent_id <> 'agent-000700') not valid");
    try {
      const result = await recoverAgents(run, { only: [agentName(699), agentName(700), agentName(701), "nobody"] });
      expect(result.agents).toBe(2);
      expect(result.failed.map(({ id }) => id).sort()).toEqual([agentName(700), "nobody"]);
      expect(result.failed.find(({ id }) => id === agentName(700))?.error).toMatch(/picky/);
      const all = await recoverAgents(run, { keepPresent: false });
      expect({ recovered: all.agents, failed: all.failed.length }).toEqual({ recovered: agents - 1, failed: 1 });
    } finally {
      await database.query("alter table episodic_memory drop constraint picky");
    }
  });

  it("reports an agent whose working memory Redis refuses, and leaves its row as it was", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const { object, blocks } = await indexOf(record);
    const held = blocks[0];
    if (held === undefined) throw new Error("there are three blocks");
    const all = await openBlock((await readFile(stored("r2", object))).subarray(0, held.length), passphrase, held, "test");
    const broken = all.slice(0, 20).map((agent, place) => (place === 11 ? { ...agent, config: "{}", keys: agent.keys.map((key) => ({ ...key, dump: Buffer.from("no dump").toString("base64") })) } : agent));
    const before = await portrait(12);
    const stores = await openStores(run, "write");
    try {
      const result = await restoreAgents(stores, broken, new Map(), new Date());
      expect(result).toMatchObject({ agents: 19, failed: [{ id: agentName(12) }] });
      expect(result.failed[0]?.error).toMatch(/DUMP payload/);
    } finally {
      await stores.close();
    }
    expect(await portrait(12)).toEqual(before);
  });

  it("goes on when a block is damaged in one backend, and names the block", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const { object, blocks } = await indexOf(record);
    await flip(stored("r2", object), (blocks[1]?.offset ?? 0) + 500);
    const result = await recoverAgents(run, { keepPresent: false });
    expect(result.agents).toBe(agents);
    expect(result.rejected).toHaveLength(1);
    expect(result.rejected[0]).toMatchObject({ backend: "r2" });
    expect(result.rejected[0]?.error).toMatch(/damaged.*block 2 of 3 in .*blocks\.pgp/);
  });

  it("reports the agents of a block that every backend has damaged", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const { object, blocks } = await indexOf(record);
    for (const backend of ["r2", "s3"]) await flip(stored(backend, object), (blocks[2]?.offset ?? 0) + 500);
    const result = await recoverAgents(run, { keepPresent: false });
    expect({ recovered: result.agents, failed: result.failed.length }).toEqual({ recovered: 2_000, failed: 500 });
    expect(result.failed[0]?.error).toMatch(/no copy of block 3/);
  });

  it("says that the passphrase is wrong", async () => {
    await checkpointAgents(await context());
    const error = await fails(recoverAgents(await context({ passphrase: "another" })));
    expect(error.message).toMatch(/passphrase/i);
  });

  it("changes nothing on a dry run", async () => {
    const run = await context();
    await checkpointAgents(run);
    await database.query("update agents set config = '{}' where id = $1", [agentName(1)]);
    const changed = await portrait(1);
    expect(await recoverAgents(run, { dryRun: true })).toMatchObject({ dryRun: true, agents });
    expect(await portrait(1)).toEqual(changed);
  });
});

describe.skipIf(!s3Installed)("verifying a checkpoint (needs versitygw)", () => {
  it("passes each whole copy", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const verification = await verifyAgents(run, record);
    expect(verification.copies.flatMap(({ errors }) => errors)).toEqual([]);
    expect(verification.ok).toBe(true);
  });

  it("names a flipped byte's block, or the index, of the copy that has it", async () => {
    const run = await context();
    const { record } = await checkpointAgents(run);
    const { object } = await indexOf(record);
    await flip(stored("s3", object), 10);
    await flip(stored("r2", objectOf(record, "index.pgp")), 200);
    const { ok, copies } = await verifyAgents(run, record);
    expect(ok).toBe(false);
    expect(copies[0]?.errors[0]).toMatch(/damaged.*r2\/agents\/.*index\.pgp/);
    expect(copies[1]?.errors[0]).toMatch(/damaged.*block 1 of 3 in .*s3\/agents\/.*blocks\.pgp/);
  });
});

describe.skipIf(!s3Installed)("the consistency of the two stores (needs versitygw)", () => {
  it("calls a working memory that is ahead an error and one that is behind a remark", async () => {
    const run = await context();
    expect(await checkConsistency(run)).toMatchObject({ ok: true, consistent: agents });
    await link.send("SET", `agent:${agentName(1)}:state`, stateOf(1, 2));
    expect(await checkConsistency(run)).toMatchObject({ ok: true, behind: [agentName(1)] });
    await link.send("SET", `agent:${agentName(2)}:state`, stateOf(2, 4));
    await link.send("SET", `agent:${agentName(3)}:state`, "{");
    await link.send("SET", "agent:stranger:state", stateOf(4, 1));
    await link.send("DEL", `agent:${agentName(4)}:state`);
    expect(await checkConsistency(run)).toMatchObject({ ok: false, ahead: [agentName(2)], withoutRow: ["stranger"], withoutState: 1 + 1, unreadable: [{ id: agentName(3) }] });
  });
});

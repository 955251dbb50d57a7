import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DrError } from "../../../../runner/errors.ts";
import { backUpRedis } from "../../../../runner/stores/redis/back-up.ts";
import { choosePrimary } from "../../../../runner/stores/redis/choose-server.ts";
import { redisWatermark } from "../../../../runner/stores/redis/watermark.ts";
import { testContext, type TestContext } from "../../../harness/context.ts";
import { startTestRedis, type TestRedis } from "../../../harness/redis.ts";
import { freePort, temporaryFolder } from "../../../harness/temporary.ts";

const folder = await temporaryFolder("redis-servers");
const contexts: TestContext[] = [];
let one: TestRedis;
let other: TestRedis;
let runs = 0;

beforeAll(async () => {
  one = await startTestRedis({ folder: join(folder.path, "one") });
  other = await startTestRedis({ folder: join(folder.path, "other"), replicaOf: one });
});
afterAll(async () => {
  await Promise.all([one.kill(), other.kill()]);
  await folder.remove();
});
afterEach(() => {
  for (const context of contexts.splice(0)) context.close();
});

async function admin(server: TestRedis, ...command: string[]): Promise<unknown> {
  const link = await server.connect();
  try {
    return await link.send(...command);
  } finally {
    link.close();
  }
}

/** What Sentinel does to one of them, and the end of the copy that it begins. */
async function follow(server: TestRedis, primary: TestRedis): Promise<void> {
  await admin(server, "REPLICAOF", "127.0.0.1", String(primary.port));
  await expect.poll(() => admin(server, "INFO", "replication").then(String), { timeout: 20_000, interval: 20 }).toContain("master_link_status:up");
}

/** A run that is given these servers of the region. */
async function context(...ports: readonly number[]): Promise<TestContext> {
  const { passwordFile } = one.address("backup");
  const made = await testContext({ folder: join(folder.path, `run-${++runs}`), config: { redis: { servers: ports.map((port) => ({ host: "127.0.0.1", port })), port: 6379, user: "backup", passwordFile } } });
  contexts.push(made);
  return made;
}

const fails = async (work: Promise<unknown>): Promise<DrError> => {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (error instanceof DrError) return error;
  throw new Error(`a DrError is expected, not ${String(error)}`);
};

describe("a region with two servers of Redis", () => {
  it("is backed up from the primary, whichever of them it is now", async () => {
    await admin(one, "SET", "session:1", "before");
    const before = await backUpRedis(await context(other.port, one.port), { leaderOnly: true });
    expect(before).toMatchObject({ done: true, record: { details: { role: "primary", keys: 1 } } });

    // The stream of commands begins with a new replica's first acknowledgement, up to a second after its copy is there.
    await expect.poll(() => admin(other, "DBSIZE"), { timeout: 20_000, interval: 20 }).toBe(1);
    await admin(other, "REPLICAOF", "NO", "ONE");
    await admin(other, "SET", "session:2", "after");
    // The old primary is back, and no Sentinel has turned it round yet.
    const meanwhile = await backUpRedis(await context(one.port, other.port), { leaderOnly: true });
    expect(meanwhile).toMatchObject({ done: true, record: { details: { role: "primary", keys: 2 } } });

    await follow(one, other);
    const after = await backUpRedis(await context(one.port, other.port), { leaderOnly: true });
    expect(after).toMatchObject({ done: true, record: { details: { role: "primary", keys: 2 } } });
    expect(await redisWatermark(await context(one.port, other.port))).toMatchObject({ role: "primary", keys: 2 });
  });

  it("is left to the other region where its servers are replicas, and backed up from one of them where that is asked for", async () => {
    const run = () => context(one.port);
    expect(await backUpRedis(await run(), { leaderOnly: true })).toMatchObject({ done: false, why: expect.stringContaining("is a replica") as string });
    expect(await backUpRedis(await run())).toMatchObject({ done: true, record: { details: { role: "replica", keys: 2 } } });
    expect(await fails(choosePrimary(await run()))).toMatchObject({ kind: "refused", what: expect.stringContaining(`127.0.0.1:${other.port}`) as string });
  });

  it("fails, and is not left to another, where the primary is one that does not answer", async () => {
    const dead = await freePort();
    // Nobody here follows it, so the primary is known to be elsewhere.
    expect(await backUpRedis(await context(dead, one.port), { leaderOnly: true })).toMatchObject({ done: false });
    await admin(one, "REPLICAOF", "127.0.0.1", String(dead));
    expect(await fails(backUpRedis(await context(dead, one.port), { leaderOnly: true }))).toMatchObject({ kind: "unavailable", what: expect.stringContaining("may be the primary, does not answer") as string });
    expect(await fails(backUpRedis(await context(dead), { leaderOnly: true }))).toMatchObject({ kind: "unavailable", what: expect.stringContaining("does not answer") as string });
    expect(await fails(backUpRedis(await context(dead, dead), { leaderOnly: true }))).toMatchObject({ kind: "unavailable", what: expect.stringContaining("no server of Redis answers") as string });
  });

  it("is not backed up from either of two that both say they are the primary, where neither came after the other", async () => {
    await admin(one, "REPLICAOF", "NO", "ONE");
    await admin(one, "DEBUG", "CHANGE-REPL-ID").catch(() => undefined); // switched off as shipped: the restart below does the same
    await one.kill();
    const alone = await startTestRedis({ folder: join(folder.path, "alone") });
    try {
      expect(await fails(backUpRedis(await context(alone.port, other.port), { leaderOnly: true }))).toMatchObject({ kind: "unavailable", what: expect.stringContaining("more than one server says") as string });
    } finally {
      await alone.kill();
    }
  });
});

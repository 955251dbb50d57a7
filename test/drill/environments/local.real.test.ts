import { access, chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseName, waitForSynchronous, withDatabase } from "../../../drill/environments/local/database.ts";
import { LocalEnvironment } from "../../../drill/environments/local/environment.ts";
import { countLeftovers, findLeftovers, nameLeftovers } from "../../../drill/environments/local/leftovers.ts";
import { lostAtResumptions, outageAfter, summariseLag } from "../../../drill/workload/measure.ts";
import type { Workload } from "../../../drill/workload/start.ts";
import { validateRecoveredPostgres, validateRecoveredRedis } from "../../../drill/workload/validate.ts";
import { validatePostgres } from "../../../drill/workload/validate-postgres.ts";
import { validateRedis } from "../../../drill/workload/validate-redis.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { scalePlan } from "../../../plan/scale.ts";
import { readConfig } from "../../../runner/config.ts";
import type { Progress } from "../../../runner/context.ts";
import { connectRedis } from "../../../runner/stores/redis/connection.ts";
import { isRoot } from "../../../runner/system/user.ts";
import { waitFor } from "../../../runner/system/wait.ts";

const agents = 200;
const id = `test-local-${process.pid}`;
/** The bound for a lost leader, in seconds. */
const writesAgainWithin = 60;

let parent = "";
let env: LocalEnvironment;
let workload: Workload;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "drl-"));
  await chmod(parent, 0o711); // PostgreSQL's user passes through
  env = await LocalEnvironment.create({ id, root: join(parent, "drill"), agents, seed: 7, plan: scalePlan(blackroad, 60) });
  await env.seed();
  workload = await env.startWorkload();
});

afterAll(() => rm(parent, { recursive: true })); // hooks run from the last to the first, also where one fails
afterAll(async () => {
  await env.destroy();
});

/** Waits until the workload was acknowledged `more` heartbeats in both stores. */
async function written(more: number): Promise<void> {
  const { acknowledged: before } = await workload.ledger();
  await waitFor(`${more} more acknowledged heartbeats`, async () => {
    const { acknowledged } = await workload.ledger();
    return acknowledged.postgres.length >= before.postgres.length + more && acknowledged.redis.length >= before.redis.length + more;
  }, { within: 60 });
}

async function writesAgain(store: "postgres" | "redis", since: number): Promise<number> {
  const outage = await waitFor(`writes to ${store}`, async () => {
    const found = outageAfter(await workload.ledger(), store, since);
    return found?.seconds === undefined ? undefined : found.seconds;
  }, { within: 2 * writesAgainWithin });
  console.info(`${store} accepted writes again ${outage.toFixed(1)} s after the kill`);
  return outage;
}

const validateOn = async (name: "a1" | "a2" | "b1", disasterAt: number) => {
  const alreadyLost = lostAtResumptions(await workload.ledger(), "postgres");
  return validateRecoveredPostgres({ address: env.addressOf(env.member(name)), schedule: env.schedule }, { ledger: () => workload.ledger(), disasterAt, alreadyLost });
};

describe("a production in three regions on this machine", () => {
  it("writes, is acknowledged, and is followed within a second", async () => {
    await waitForSynchronous(await env.requireLeader(), "a2", 1);
    await written(60);
    const ledger = await workload.ledger();
    expect(ledger.interruptions).toEqual([]);
    const lag = summariseLag(ledger.lags, []);
    expect(lag?.samples).toBeGreaterThan(5);
    expect(lag?.outsideFaultProvenSeconds).toBeLessThan(1);
  });

  it("has every row on the asynchronous replica while the workload goes on", async () => {
    const { errors, agentsValid } = await validatePostgres({ address: env.addressOf(env.member("b1")), schedule: env.schedule });
    expect(errors).toEqual([]);
    expect(agentsValid).toBe(agents);
  });

  it("gives jobs a configuration that writes and recoveries one that only reads", async () => {
    const production = await readConfig(await env.runnerConfig("a"));
    const place = await env.recoveryConfig({ name: "test", backends: ["s3"] });
    const recovery = await readConfig(place.config);
    expect([production.readOnly, recovery.readOnly]).toEqual([false, true]);
    expect(production.backends.map(({ name }) => name)).toEqual(["r2", "s3"]);
    expect(recovery.backends.map(({ name }) => name)).toEqual(["s3"]);
    expect(recovery.intervalScale).toBe(60);
    for (const path of [recovery.passphraseFile, recovery.workDirectory, place.dataDirectory, place.redisFolder]) expect(path).toContain(join(env.layout.root, "recovery", "test"));
  });

  it("lets a recovery reach the stores, read there, and nothing else", async ({ skip }) => {
    skip(!isRoot(), "only root has a user of PostgreSQL and a network namespace to give");
    const place = await env.recoveryConfig({ name: "proof" });
    expect((await env.isolation()).kind).toBe("namespace");
    const proofs = await env.proveIsolation(place);
    expect(proofs.filter(({ refused }) => !refused)).toEqual([]);
    expect(proofs.filter(({ what }) => what.includes("from inside"))).toHaveLength(14);
    if (env.skipped.length === 0) expect(proofs.filter(({ what }) => what.startsWith("write to"))).toHaveLength(2);
  });

  it("loses no acknowledged row with its leader, and the synchronous replica takes over", async () => {
    const disasterAt = Date.now();
    await env.killServer("a1");
    expect(await writesAgain("postgres", disasterAt)).toBeLessThan(writesAgainWithin);
    expect((await env.requireLeader()).name).toBe("a2");
    await written(10);
    const { acknowledgedLost, errors, rpoSeconds } = await validateOn("a2", disasterAt);
    expect({ acknowledgedLost, errors, rpoSeconds }).toEqual({ acknowledgedLost: 0, errors: [], rpoSeconds: 0 });
  });

  it("takes a server back that was killed, as the synchronous replica", async () => {
    await env.startServer("a1");
    await waitForSynchronous(env.member("a2"), "a1", 150);
  });

  it("goes on in the second region by itself when every server and disk of the first is gone", async () => {
    const disasterAt = Date.now();
    await env.killRegion("a");
    await expect(access(env.layout.regions.a)).rejects.toThrow("ENOENT");
    expect((await findLeftovers(env.layout.regions.a, "no such drill")).processes).toEqual([]);
    expect(await writesAgain("redis", disasterAt)).toBeLessThan(writesAgainWithin);
    expect(await writesAgain("postgres", disasterAt)).toBeLessThan(writesAgainWithin);
    expect((await env.waitForLeader("b", 5)).name).toBe("b1");
    await written(10);
    await workload.stop();
    const { acknowledged } = await workload.ledger();
    const postgres = await validateOn("b1", disasterAt);
    expect(postgres.rows.errors).toEqual([]);
    expect(postgres.rpoSeconds).toBeLessThan(1);
    const redis = await validateRecoveredRedis({ address: env.redisAddress("b"), schedule: env.schedule }, { ledger: () => workload.ledger(), disasterAt });
    expect(redis.rows.errors).toEqual([]);
    expect(redis.rpoSeconds).toBeLessThan(1);
    expect(redis.rows.agentsValid).toBe(agents);
    expect(redis.rows.recoveredTick).toBeGreaterThanOrEqual(acknowledged.redis.at(-1)?.tick ?? 0);
  });
});

describe("a validation of the second region", () => {
  const errorsAfter = async (fault: string, repair: string): Promise<readonly string[]> => {
    const member = env.member("b1");
    await withDatabase(member, databaseName, (client) => client.query(fault));
    const { errors, valid } = await validateOn("b1", Date.now());
    expect(valid).toBe(false);
    await withDatabase(member, databaseName, (client) => client.query(repair));
    return errors;
  };

  it("sees one deleted heartbeat", async () => {
    const errors = await errorsAfter("create table kept as select * from heartbeat where sequence = 20; delete from heartbeat where sequence = 20", "insert into heartbeat select * from kept; drop table kept");
    expect(errors[0]).toContain("lacks heartbeat 20, acknowledged at");
  });

  it("sees one changed letter of an episode", async () => {
    const errors = await errorsAfter("update episodic_memory set content = content || '!' where agent_id = 'agent-00042' and sequence = 0", "update episodic_memory set content = left(content, -1) where agent_id = 'agent-00042' and sequence = 0");
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain("agent-00042: episode 0 differs");
  });

  it("sees one changed figure in a configuration", async () => {
    const errors = await errorsAfter("update agents set config = jsonb_set(config, '{limits,tokens}', '1') where id = 'agent-00007'", "select 1");
    expect(errors[0]).toContain("agent-00007: config differs");
  });

  it("sees a missing agent", async () => {
    const errors = await errorsAfter("delete from agents where id = 'agent-00100'", "select 1");
    expect(errors.join("\n")).toContain("agents lacks agent-00100");
  });

  it("sees a changed, a missing and a strange key in Redis", async () => {
    const address = env.redisAddress("b");
    const link = await connectRedis(address);
    try {
      await link.send("APPEND", "agent:agent-00003:state", " ");
      await link.send("DEL", "agent:agent-00004:state");
      await link.send("SET", "agent:agent-99999:state", "{}");
      const { agentsValid, errors } = await validateRedis({ address, schedule: env.schedule });
      expect(agentsValid).toBe(agents - 2);
      expect(errors).toEqual([expect.stringContaining("agent:agent-00003:state: it differs"), "agent:agent-00004:state: it is missing", "agent:agent-99999:state was never written"]);
    } finally {
      link.close();
    }
  });
});

describe("a folder that cannot be used", () => {
  const create = (root: string) => LocalEnvironment.create({ id: `${id}-refused`, root, agents, seed: 7, plan: scalePlan(blackroad, 60) });

  it("is refused where it exists already, and left as it is", async () => {
    const root = join(parent, "mine");
    await mkdir(root);
    await expect(create(root)).rejects.toThrow("the drill's folder cannot be made");
    expect(await readdir(parent)).toContain("mine");
    await rm(root, { recursive: true });
  });

  it("is refused where its sockets would have names that are too long", async () => {
    await expect(create(join(parent, "x".repeat(60)))).rejects.toThrow("Unix sockets in it would have names over 107");
  });

  it("is refused where PostgreSQL's user cannot enter it", async ({ skip }) => {
    skip(!isRoot(), "only root has a user of PostgreSQL and a network namespace to give");
    const closed = join(parent, "closed");
    await mkdir(closed, { mode: 0o700 });
    await expect(create(join(closed, "drill"))).rejects.toThrow("the user postgres, who runs the drill's servers, cannot enter the drill's folder");
    expect(await readdir(closed)).toEqual([]);
    await rm(closed, { recursive: true });
  });
});

describe("the teardown", () => {
  it("leaves no process, no directory and no mount", async () => {
    const left = await env.destroy();
    expect(nameLeftovers(left)).toEqual([]);
    expect(countLeftovers(await findLeftovers(env.layout.root, id))).toBe(0);
    expect(await readdir(parent)).toEqual([]);
  });

  it("comes by itself when the creation is stopped half-way", async () => {
    const stopping = new AbortController();
    const root = join(parent, "stopped");
    const report = ({ step }: Progress) => {
      if (step.includes("leader")) stopping.abort();
    };
    const creation = LocalEnvironment.create({ id: `${id}-stopped`, root, agents, seed: 7, plan: scalePlan(blackroad, 60), signal: stopping.signal, report });
    await expect(creation).rejects.toThrow("aborted");
    expect(nameLeftovers(await findLeftovers(root, `${id}-stopped`))).toEqual([]);
  });
});

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { agentStateKey } from "../../../runner/agents/schema.ts";
import { parseConfig } from "../../../runner/config.ts";
import type { RunContext } from "../../../runner/context.ts";
import { backUpAll } from "../../../runner/recovery-point/make.ts";
import { Journal } from "../../../runner/recovery/full/journal.ts";
import { planFullRecovery, recoverFull, type FullRecoveryOptions } from "../../../runner/recovery/full/recover.ts";
import { placesIn } from "../../../runner/recovery/full/targets.ts";
import { connectTo } from "../../../runner/stores/postgres/connection.ts";
import { connectRedis } from "../../../runner/stores/redis/connection.ts";
import { killGroup, run } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { agentName } from "../../harness/agents.ts";
import { startProtectedSystem, type ProtectedSystem } from "../../harness/protected-system.ts";
import { startServicesCluster, type ServicesCluster } from "../../harness/services-cluster.ts";

const agents = 20;
let system: ProtectedSystem;
let point: string;
let cluster: ServicesCluster;

beforeAll(async () => {
  cluster = await startServicesCluster();
  system = await startProtectedSystem("full", agents, { recover: cluster.config() });
  const made = await backUpAll(system.context);
  if (made.outcome !== "ok") throw new Error(JSON.stringify(made));
  point = made.record.id;
});
afterAll(async () => {
  await cluster.close();
  await system.close();
});

const recovered: string[] = [];
afterEach(async () => {
  cluster.asked.length = 0;
  for (const into of recovered.splice(0)) await stopAll(into);
});

async function stopAll(into: string): Promise<void> {
  const { postgres, redis } = placesIn(into);
  const { stdout } = await run("bash", ["-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"], { deadline: 10 });
  await run(await findProgram("pg_ctl", stdout.trim()), ["stop", "-m", "immediate", "-D", postgres.dataDirectory], { deadline: 60, accept: [0, 1], cwd: "/", user: databaseUser() });
  const pid = Number(await readFile(join(redis.directory, "redis.pid"), "utf8").catch(() => "0"));
  if (pid > 0) killGroup(pid);
}

const optionsFor = (into: string, more: Partial<FullRecoveryOptions> = {}): FullRecoveryOptions => ({ into, tier: "warm", newestPerStore: false, without: [], force: false, restart: false, ...more });

function placeOf(name: string): string {
  const into = join(system.folder, name);
  recovered.push(into);
  return into;
}

async function agentsIn(into: string): Promise<{ rows: number; states: number }> {
  const { postgres, redis } = placesIn(into);
  const client = await connectTo({ host: postgres.socketDirectory, port: postgres.port, user: "postgres", database: "postgres" });
  const { rows: [row] } = await client.query<{ count: string }>("select count(*) from agents").finally(() => client.end());
  const link = await connectRedis({ socket: redis.socket, port: 0, user: "default" });
  const states = await Promise.all(Array.from({ length: agents }, (_, index) => link.send("EXISTS", agentStateKey(agentName(index + 1))))).finally(() => link.close());
  return { rows: Number(row?.count), states: states.filter((one) => one === 1).length };
}

describe("a recovery of the whole system", () => {
  it("shows its plan first and does nothing for a dry run", async () => {
    const into = join(system.folder, "planned");
    const plan = await planFullRecovery(system.context, optionsFor(into));
    expect(plan.point).toBe(point);
    expect(plan.steps.map(({ name }) => name)).toEqual(["stop", "postgres", "redis", "validate", "services", "health"]);
    expect(plan.steps.find(({ name }) => name === "postgres")).toMatchObject({ what: expect.stringContaining(`replayed to ${point}`) as string, estimate: expect.any(Number) as number });
    expect(await readdir(system.folder)).not.toContain("planned");
    expect(cluster.asked).toEqual([]);
  });

  it("stops the services, brings the stores back to one moment, holds them against each other, and starts the services", async () => {
    const into = placeOf("whole");
    const plans: string[] = [];
    const result = await recoverFull(system.context, optionsFor(into), (plan) => plans.push(plan.point ?? ""));
    expect(plans).toEqual([point]);
    expect(result.steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["stop done", "postgres done", "redis done", "validate done", "services done", "health done"]);
    expect(cluster.asked).toEqual(["workers 0", "api 0", "api 2", "workers 3", "healthz"]);
    expect(await agentsIn(into)).toEqual({ rows: agents, states: agents });
    expect(result.steps.find(({ name }) => name === "validate")?.result).toMatch(new RegExp(`^${agents} agents: ${agents} as PostgreSQL has them, 0 behind`));
    expect((await readdir(into)).filter((name) => name.endsWith(".json"))).toEqual([result.journal.split("/").at(-1)]);
  });

  it("goes on where it stopped: what stands is kept, the step that was broken off begins anew, services wait", async () => {
    const into = placeOf("broken");
    const stop = new AbortController();
    const watched: RunContext = {
      ...system.context,
      signal: stop.signal,
      report: ({ step }) => {
        if (step.startsWith("load the dump")) stop.abort(new Error("stopped here"));
      },
    };
    await expect(recoverFull(watched, optionsFor(into))).rejects.toThrow();
    expect((await Journal.read(into))?.steps.map(({ name, result }) => `${name} ${result === undefined ? "broken off" : "done"}`)).toEqual(["stop done", "postgres done", "redis broken off"]);
    expect(cluster.asked).toEqual(["workers 0", "api 0"]);
    await expect(recoverFull(system.context, optionsFor(into, { tier: "cold" }))).rejects.toThrow(/another recovery into this folder did not come to its end/);
    const result = await recoverFull(system.context, optionsFor(into));
    expect(result.steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["stop kept", "postgres kept", "redis done", "validate done", "services done", "health done"]);
    expect(await agentsIn(into)).toEqual({ rows: agents, states: agents });
  });

  it("starts no service where Redis knows what PostgreSQL does not, and says which agents", async () => {
    const into = placeOf("unfit");
    await recoverFull({ ...system.context, config: parseConfig({ ...system.context.config, recover: undefined }, "test") }, optionsFor(into));
    const link = await connectRedis({ socket: placesIn(into).redis.socket, port: 0, user: "default" });
    await link.send("SET", agentStateKey(agentName(3)), JSON.stringify({ sequence: 999, lsn: "FF/0" })).finally(() => link.close());
    const { sources } = { sources: { point, stores: [{ store: "postgres" as const, backup: "x", bytes: 0 }, { store: "redis" as const, backup: "y", bytes: 0 }], notes: [] } };
    const now = new Date().toISOString();
    const journal = await Journal.begin(into, { startedAt: now, sources, asked: JSON.stringify({ at: null, newestPerStore: false, without: [], tier: "warm", backend: null }) });
    for (const name of ["stop", "postgres", "redis"]) {
      await journal.begun(name, new Date());
      await journal.ended(name, new Date(), { result: "by the test" });
    }
    await expect(recoverFull(system.context, optionsFor(into))).rejects.toThrow(new RegExp(`1 agents' working memory is ahead of PostgreSQL \\(${agentName(3)}\\)`));
    expect(cluster.asked).toEqual([]);
  });

  it("lets no second one into the same folder while it works", async () => {
    const into = placeOf("twice");
    const [one, other] = await Promise.allSettled([1, 2].map(() => recoverFull(system.context, optionsFor(into, { without: ["postgres"] }))));
    const refused = one?.status === "rejected" ? one : other;
    expect([one?.status, other?.status].toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(refused).toMatchObject({ reason: { kind: "refused", message: expect.stringMatching(/another recovery works here \(process \d+\)/) as string } });
  });

  it("begins nothing where a target holds anything, and does not take it for its own when it is started again", async () => {
    const into = placeOf("taken");
    const precious = join(placesIn(into).postgres.dataDirectory, "precious");
    await mkdir(placesIn(into).postgres.dataDirectory, { recursive: true });
    await mkdir(placesIn(into).redis.directory, { recursive: true });
    await writeFile(precious, "of somebody else");
    await writeFile(join(placesIn(into).redis.directory, "dump.rdb"), "of somebody else");
    for (let attempt = 0; attempt < 2; attempt += 1) await expect(recoverFull(system.context, optionsFor(into))).rejects.toMatchObject({ kind: "refused" });
    expect((await planFullRecovery(system.context, optionsFor(into))).notes.join()).toMatch(/it would not begin: .*holds files that are no database.*it would not begin: .*not empty: it holds an RDB/);
    expect([await readFile(precious, "utf8"), await readFile(join(placesIn(into).redis.directory, "dump.rdb"), "utf8"), cluster.asked]).toEqual(["of somebody else", "of somebody else", []]);
  });

  it("begins nothing where the servers' sockets would have too long a path, or PostgreSQL can be recovered from nowhere", async () => {
    await expect(recoverFull(system.context, optionsFor(join(system.folder, "p".repeat(80))))).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(/bytes too long for the servers' sockets/) as string });
    await expect(recoverFull(system.context, optionsFor(join(system.folder, "nowhere"), { backend: "r3" }))).rejects.toThrow(/r3/);
    const { postgres } = system.context.config;
    const foreign = { ...system.context, config: parseConfig({ ...system.context.config, postgres: { ...postgres, stanza: "other" } }, "test") };
    await expect(recoverFull(foreign, optionsFor(join(system.folder, "nowhere")))).rejects.toThrow(/no repository can serve this recovery/);
    expect(cluster.asked).toEqual([]);
  });

  it("recovers no store anew below services that have worked on it, and keeps what it did as a document when told to start over", async () => {
    const into = placeOf("worked");
    cluster.health = 500;
    const ill = { ...system.context, config: parseConfig({ ...system.context.config, recover: cluster.config({ healthyWithin: 0.2 }) }, "test") };
    await expect(recoverFull(ill, optionsFor(into, { without: ["postgres"] }))).rejects.toThrow(/a good answer of the services did not come/);
    cluster.health = 200;
    await stopAll(into);
    cluster.asked.length = 0;
    await expect(recoverFull(system.context, optionsFor(into, { without: ["postgres"] }))).rejects.toMatchObject({ kind: "refused", message: expect.stringMatching(/services have worked on it.*redis-server .*redis.conf/s) as string });
    expect(cluster.asked).toEqual([]);
    const result = await recoverFull(system.context, optionsFor(into, { without: ["postgres"], restart: true, force: true }));
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(["done", "done", "done", "done", "done"]);
    expect((await readdir(into)).filter((name) => name.startsWith("recovery-abandoned-"))).toHaveLength(1);
  });
});

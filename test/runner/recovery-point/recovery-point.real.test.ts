import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { registerBackupAll } from "../../../cli/commands/backup-all.ts";
import { checkConsistency } from "../../../runner/agents/consistency.ts";
import { agentStateKey } from "../../../runner/agents/schema.ts";
import { exitCodes } from "../../../runner/errors.ts";
import { stopIsolated } from "../../../runner/recovery/isolated-server.ts";
import { chooseRecoveryPoint } from "../../../runner/recovery-point/choose.ts";
import { backUpAll, type SystemBackup } from "../../../runner/recovery-point/make.ts";
import { isSaved, madePoint, readRecoveryPoint } from "../../../runner/recovery-point/record.ts";
import { connectTo } from "../../../runner/stores/postgres/connection.ts";
import { recoverPostgres, type Recovery } from "../../../runner/stores/postgres/recover.ts";
import { connectRedis, type RedisLink } from "../../../runner/stores/redis/connection.ts";
import { recoverRedis } from "../../../runner/stores/redis/recover.ts";
import { killGroup } from "../../../runner/system/process.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { verifyAll, verifyOne } from "../../../runner/verify.ts";
import { runCommand } from "../../cli/run-command.ts";
import { agentName } from "../../harness/agents.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import type { TestPostgres } from "../../harness/postgres.ts";
import { startProtectedSystem, type ProtectedSystem } from "../../harness/protected-system.ts";

const agents = 50;
let system: ProtectedSystem;
let postgres: TestPostgres;
let client: Client;
let link: RedisLink;
let context: TestContext;

beforeAll(async () => {
  system = await startProtectedSystem("point", agents);
  ({ postgres, client, link, context } = system);
});
afterAll(() => system.close());

const servers: Recovery[] = [];
const processes: number[] = [];
afterEach(async () => {
  for (const recovery of servers.splice(0)) await stopIsolated({ ...recovery, owner: databaseUser(), hbaFile: "", promote: false }, "immediate");
  for (const pid of processes.splice(0)) killGroup(pid);
});

/** Writes numbered heartbeats as the services do, PostgreSQL first and then Redis, until `work` has ended. */
async function underLoad<T>(work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const own = await postgres.connect();
  const writer = (async () => {
    const { rows: [first] } = await own.query<{ next: string }>("select coalesce(max(sequence), 0) + 1 as next from heartbeat where sequence > 0");
    for (let n = Number(first?.next); !ended.signal.aborted; n += 1) {
      await own.query("insert into heartbeat (sequence, writer) values ($1, 'load')", [n]);
      const { rows: [agent] } = await own.query<{ sequence: number }>("update agents set sequence = sequence + 1 where id = $1 returning sequence::int as sequence", [agentName(1 + (n % agents))]);
      const { rows: [behind] } = await own.query<{ lsn: string }>("select pg_current_wal_insert_lsn()::text as lsn");
      await link.send("SET", "heartbeat", String(n));
      await link.send("SET", agentStateKey(agentName(1 + (n % agents))), JSON.stringify({ sequence: agent?.sequence, lsn: behind?.lsn }));
      await setImmediate();
    }
  })();
  try {
    return await work();
  } finally {
    ended.abort();
    await writer;
    await own.end();
  }
}

async function backUp(): Promise<SystemBackup> {
  const result = await backUpAll(context);
  if (result.outcome === "skipped") throw new Error(result.why);
  return result;
}

const markRow = (sequence: number) => client.query("insert into heartbeat (sequence, writer) values ($1, 'mark')", [sequence]);

describe("a recovery point of PostgreSQL, Redis and the agents", () => {
  it("is complete in both backends, and what is recovered from it fits together", async () => {
    await markRow(-2);
    const made = await underLoad(backUp);
    await markRow(-1);
    expect(made).toMatchObject({ outcome: "ok", notRecorded: [], consistency: { ok: true } });
    expect(made.record.copies).toMatchObject([{ backend: "r2", status: "ok" }, { backend: "s3", status: "ok" }]);
    expect(made.point.parts.filter(isSaved).map(({ store }) => store)).toEqual(["postgres", "redis", "agents"]);

    const { records } = await context.catalog.list();
    const chosen = chooseRecoveryPoint(records, { now: new Date() });
    expect(chosen.record).toEqual(made.record);
    expect(madePoint(chosen.point)?.name).toBe(made.record.id);
    const snapshot = chosen.point.parts.filter(isSaved).find(({ store }) => store === "redis");

    const recovered = await recoverPostgres(context, { backup: "latest", target: { kind: "name", name: made.record.id }, into: join(system.folder, "back", "pg"), socketDirectory: join(system.folder, "back-socket"), promote: false });
    servers.push(recovered);
    const back = await connectTo({ host: recovered.socketDirectory, port: recovered.port });
    const { rows: marks } = await back.query("select sequence::int as sequence from heartbeat where writer = 'mark' order by sequence");
    expect(marks).toEqual([{ sequence: -2 }]);
    const { rows: [newest] } = await back.query<{ sequence: number }>("select max(sequence)::int as sequence from heartbeat");
    await back.end();

    const restored = await recoverRedis(context, { backup: snapshot?.backup ?? "", into: join(system.folder, "back", "redis") });
    processes.push(restored.pid);
    const both = await testContext({ folder: join(system.folder, "look"), config: { redis: { socket: restored.socket, port: 6379, user: "default" }, postgres: { stanza: "main", dataDirectory: recovered.dataDirectory, host: recovered.socketDirectory, port: recovered.port, user: "postgres", database: "postgres" } } });
    const report = await checkConsistency(both);
    expect(report).toMatchObject({ ok: true, agents, ahead: [], unreadable: [], withoutRow: [] });
    both.close();

    const seen = await heartbeatOf(restored.socket);
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThanOrEqual(newest?.sequence ?? 0);
  });

  it("is left to the leader's host by a replica, which ends well and records nothing", async () => {
    const { records } = await context.catalog.list({ store: "system" });
    const name = records.at(-1)?.id ?? "";
    const replica = await recoverPostgres(context, { backup: "latest", target: { kind: "name", name }, into: join(system.folder, "replica", "pg"), socketDirectory: join(system.folder, "replica-socket"), promote: false });
    servers.push(replica);
    const there: TestContext = { ...context, config: { ...context.config, postgres: { stanza: "main", dataDirectory: replica.dataDirectory, host: replica.socketDirectory, port: replica.port, user: "postgres", database: "postgres" } } };
    const { human, exitCode } = await runCommand(registerBackupAll, there, ["all"]);
    expect({ human, exitCode }).toEqual({ human: "nothing to do: this PostgreSQL is a replica: the system is backed up where the leader is", exitCode: 0 });
    expect((await context.catalog.list({ store: "system" })).records).toHaveLength(records.length);
  });

  it("is verified by recovering its parts to one moment and holding them against each other", async () => {
    const left = async () => (await readdir(context.config.workDirectory)).filter((name) => /^(verify-|recovery-)/.test(name));
    const before = await left();
    const { ok, verified } = await verifyAll(context, new Date(0), { store: "system" });
    expect(verified.flatMap(({ copies }) => copies.flatMap(({ errors }) => errors))).toEqual([]);
    expect([ok, verified.map(({ kind, recordedAs }) => [kind, recordedAs !== undefined])]).toEqual([true, [["recovery-point", true]]]);
    const [r2, s3] = verified[0]?.copies ?? [];
    expect(r2?.checks.map(({ detail }) => detail)).toEqual(["postgres consistent, redis behind, agents behind", expect.stringMatching(new RegExp(`^${agents} agents, `))]);
    expect(s3?.checks.at(-1)).toMatchObject({ name: expect.stringContaining("held against each other") as string, detail: "in r2" });
    expect(await left()).toEqual(before);
  });

  it("stands in the other backend when one is dead for the whole run, which names it and ends with 3", async () => {
    const [alive, dead] = [join(system.folder, "s3"), join(system.folder, "s3.gone")];
    await rename(alive, dead);
    const { human, data, exitCode } = await underLoad(() => runCommand(registerBackupAll, context, ["all"])).finally(() => rename(dead, alive));
    expect(exitCode).toBe(exitCodes.partial);
    expect(data).toMatchObject({ outcome: "partial", consistency: { ok: true }, notRecorded: [{ backend: "s3" }] });
    const { records } = await context.catalog.list({ store: "system" });
    const [copy, other] = records.at(-1)?.copies ?? [];
    expect(copy).toMatchObject({ backend: "r2", status: "ok" });
    expect(other).toMatchObject({ backend: "s3", status: "failed" });
    const error = other?.status === "failed" ? other.error : "";
    for (const part of ["postgres: ", "redis: ", "agents: ", "restore point: "]) expect(error).toContain(part);
    expect(human).toContain("s3: FAILED: postgres: ");
    expect(human).toContain("restore point: LSN ");
    expect(chooseRecoveryPoint(records, { now: new Date(), backend: "r2" }).record.id).toBe(records.at(-1)?.id);
    expect(chooseRecoveryPoint(records, { now: new Date(), backend: "s3" }).record.id).toBe(records.at(0)?.id);
  });

  it("in which Redis knows what PostgreSQL does not is found by its verification, which names the agent", async () => {
    await link.send("SET", agentStateKey(agentName(7)), JSON.stringify({ sequence: 9_999, lsn: "0/1" }));
    const { record } = await backUp();
    const { ok, verified } = await verifyOne(context, record.id);
    expect(ok).toBe(false);
    expect(verified[0]?.copies.map((copy) => [copy.backend, copy.ok, copy.errors])).toEqual([["r2", false, [`1 agents' working memory is ahead of PostgreSQL (${agentName(7)})`]], ["s3", false, []]]);
  });

  it("saves Redis when PostgreSQL is dead, says what is missing, and ends with 1", async () => {
    await postgres.kill();
    const { human, data, exitCode } = await runCommand(registerBackupAll, context, ["all"]);
    expect(exitCode).toBe(exitCodes.failed);
    expect(data).toMatchObject({ outcome: "failed", notRecorded: [], point: { parts: [{ store: "postgres", status: "failed" }, { store: "redis", status: "saved", notAfter: null }, { store: "agents", status: "failed" }], restorePoint: { status: "failed" } } });
    expect(human).toMatch(/postgres: FAILED: .*PostgreSQL does not take the connection/);
    expect(human).toMatch(/FAILED: no backend has a complete recovery point/);
    const { records } = await context.catalog.list({ store: "system" });
    const last = records.at(-1);
    expect(last === undefined ? undefined : readRecoveryPoint(last)).toBeDefined();
    expect(last?.copies.every(({ status }) => status === "failed")).toBe(true);
    expect((await context.catalog.find("latest", { store: "redis" })).startedAt >= (last?.startedAt ?? "")).toBe(true);
  });
});

async function heartbeatOf(socket: string): Promise<number> {
  const there = await connectRedis({ socket, port: 0, user: "default" });
  try {
    return Number(await there.send("GET", "heartbeat"));
  } finally {
    there.close();
  }
}

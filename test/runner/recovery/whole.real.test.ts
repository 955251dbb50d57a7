import { spawn, type ChildProcess } from "node:child_process";
import { chmod, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { recoveredAs } from "../../../runner/agents/recovered.ts";
import { checkVectors, vectorFaults } from "../../../runner/agents/vectors.ts";
import { outcomeOf } from "../../../runner/catalog/record.ts";
import { parseConfig, type RunnerConfig } from "../../../runner/config.ts";
import { exitCodes } from "../../../runner/errors.ts";
import { backUpAll } from "../../../runner/recovery-point/make.ts";
import { isSaved } from "../../../runner/recovery-point/record.ts";
import { Journal } from "../../../runner/recovery/full/journal.ts";
import { planFullRecovery, recoverFull, type FullRecoveryOptions } from "../../../runner/recovery/full/recover.ts";
import { placesIn } from "../../../runner/recovery/full/targets.ts";
import { connectTo } from "../../../runner/stores/postgres/connection.ts";
import { withToken } from "../../../runner/stores/vault/connection.ts";
import { unseal } from "../../../runner/stores/vault/unseal.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { killGroup, run } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { agentName } from "../../harness/agents.ts";
import { pulumiProgram } from "../../harness/engine.ts";
import { startProtectedSystem, type ProtectedSystem } from "../../harness/protected-system.ts";
import { fillReplay, replayKey, startQdrantReplay, type QdrantReplay } from "../../harness/qdrant-replay.ts";
import { startServicesCluster, type ServicesCluster } from "../../harness/services-cluster.ts";
import { temporaryFolder } from "../../harness/temporary.ts";
import { readSecretOf, startEmptyVault, startTestVault, vaultProgram, writeSecret, type TestVault } from "../../harness/vault.ts";

const agents = 5;
const points = 60;
const closing: (() => unknown)[] = [];
const environment = { ...process.env };
let folder: string;
let vault: TestVault | undefined;
let qdrant: QdrantReplay;
let cluster: ServicesCluster;
let system: ProtectedSystem;
let directory: string;
let config: RunnerConfig;

const references = { rows: { table: "public.memories", column: "vector", writtenAt: "written_at", collection: "memory" } };
const ofVault = <T>(...parts: T[]): T[] => (vaultProgram === undefined ? [] : parts);
const options = (into: string, more: Partial<FullRecoveryOptions> = {}): FullRecoveryOptions => ({ into, tier: "cold", newestPerStore: false, without: [], force: false, restart: false, ...more });
const outcomes = (steps: readonly { readonly name: string; readonly outcome: string }[]) => steps.map(({ name, outcome }) => `${name} ${outcome}`);

/** A project that Pulumi's own engine brings up, or, where it is not here, a program of its name that says so. */
async function infrastructure(): Promise<string> {
  const project = await makeFolder(join(folder, "project"), { mode: 0o755 });
  const pulumi = await pulumiProgram();
  if (pulumi === undefined) {
    const bin = await makeFolder(join(folder, "bin"));
    await writeFile(join(bin, "pulumi"), `#!/bin/sh\necho "$@" >> '${join(project, "up.log")}'\n`);
    await chmod(join(bin, "pulumi"), 0o755);
    process.env["PATH"] = `${bin}:${process.env["PATH"] ?? ""}`;
    return project;
  }
  await writeFile(join(project, "Pulumi.yaml"), "name: whole\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
  await writeFile(join(project, "package.json"), '{ "name": "whole", "main": "index.js" }');
  await writeFile(join(project, "index.js"), `require("node:fs").appendFileSync(${JSON.stringify(join(project, "up.log"))}, "up\\n"); exports.stands = true;`);
  await symlink(join(import.meta.dirname, "../../../node_modules"), join(project, "node_modules"));
  await writeFile(join(folder, "passphrase.pulumi"), "of a test", { mode: 0o600 });
  Object.assign(process.env, {
    PULUMI_HOME: await makeFolder(join(folder, "pulumi")), PULUMI_BACKEND_URL: `file://${await makeFolder(join(folder, "state"))}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, "passphrase.pulumi"), PULUMI_SKIP_UPDATE_CHECK: "true",
  });
  const { HOME = folder, PATH = "", ...rest } = process.env;
  const env = { HOME, PATH, ...Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => entry[0].startsWith("PULUMI_") && entry[1] !== undefined)) };
  await run(pulumi, ["stack", "init", "secondary", "--non-interactive", "--cwd", project], { deadline: 60, env });
  return project;
}

beforeAll(async () => {
  const temporary = await temporaryFolder("whole");
  closing.push(() => temporary.remove());
  folder = temporary.path;
  directory = await infrastructure();
  cluster = await startServicesCluster();
  closing.push(() => cluster.close());
  qdrant = await startQdrantReplay();
  closing.push(() => qdrant.close());
  fillReplay(qdrant, "memory", 0, points);
  for (const [id, point] of qdrant.collections.get("memory") ?? []) point.payload["agent"] = agentName(1 + (Number(id) % agents));
  const apiKeyFile = join(folder, "qdrant.key");
  await writeFile(apiKeyFile, `${replayKey}\n`);
  if (vaultProgram !== undefined) {
    vault = await startTestVault(join(folder, "vault"));
    closing.push(() => vault?.stop());
    await writeSecret(vault, "app/key", "of the services");
  }
  const recover = { ...cluster.config(), infrastructure: { directory, stacks: ["secondary"] } };
  system = await startProtectedSystem("whole", agents, { vectors: { kind: "qdrant", nodes: qdrant.nodes.map(({ url }) => url), apiKeyFile, references }, recover, ...(vault === undefined ? {} : { vault: vault.config }) });
  closing.push(() => system.close());
  ({ config } = system.context);
  await system.client.query("create table memories (agent_id text, vector bigint, written_at timestamptz not null default clock_timestamp())");
  await system.client.query("insert into memories select id, n from agents, generate_series(0, $1::int - 1) as n", [points]);
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  Object.assign(process.env, environment);
});

const recovered: string[] = [];
afterEach(async () => {
  cluster.asked.length = 0;
  for (const into of recovered.splice(0)) {
    const { postgres, redis } = placesIn(into);
    const { stdout } = await run("bash", ["-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"], { deadline: 10 });
    await run(await findProgram("pg_ctl", stdout.trim()), ["stop", "-m", "immediate", "-D", postgres.dataDirectory], { deadline: 60, accept: [0, 1, 4], cwd: "/", user: databaseUser() });
    const pid = Number(await readFile(join(redis.directory, "redis.pid"), "utf8").catch(() => "0"));
    if (pid > 0) killGroup(pid);
  }
});

/** Servers that nobody has used, as a region that was just brought up has them, and the configuration that names them. People
 * have the unseal keys of its Vault, where it has one. */
async function freshRegion(name: string, withVault: boolean) {
  const into = join(folder, name);
  recovered.push(into);
  const server = await startQdrantReplay();
  closing.push(() => server.close());
  const empty = vault === undefined || !withVault ? undefined : await startEmptyVault(join(folder, `${name}-vault`));
  closing.push(() => empty?.stop());
  const { vectors } = config;
  const there = parseConfig({
    ...config,
    vectors: { ...vectors, nodes: server.nodes.map(({ url }) => url) },
    ...(vault === undefined || empty === undefined ? {} : { vault: { ...vault.config, seal: undefined, server: { ...vault.config.server, address: empty.address } } }),
  }, "test");
  return { into, server, empty, context: { ...system.context, config: there } };
}

describe(`the whole system${vaultProgram === undefined ? " without Vault (neither bao nor vault is here)" : ""}`, () => {
  it("is backed up in one run, Vault and the vectors with PostgreSQL and Redis (S5)", async () => {
    const made = await backUpAll(system.context);
    if (made.outcome === "skipped") throw new Error(made.why);
    expect([made.outcome, outcomeOf(made.record), made.consistency.errors]).toEqual(["ok", "ok", []]);
    expect(made.point.parts.filter(isSaved).map(({ store }) => store)).toEqual(["postgres", "redis", ...ofVault("vault"), "vectors", "agents"]);
  });

  it("comes back from nothing in one run and in R1's order: infrastructure, Vault, PostgreSQL, Redis, vectors, services, health", async () => {
    const { context, empty, into, server } = await freshRegion("region", true);
    const order = ["infrastructure", "stop", ...ofVault("vault", "unseal"), "postgres", "redis", "vectors", "validate", "services", "health"];
    expect((await planFullRecovery(context, options(into))).steps.map(({ name }) => name)).toEqual(order);
    if (vault !== undefined && empty !== undefined) {
      // People have the unseal keys: everything waits for them, and then goes on behind it.
      await expect(recoverFull(context, options(into))).rejects.toThrow(/Vault holds the snapshot and is sealed: it opens with 2 of 3 unseal keys.*Unseal it; then start this again/);
      expect((await Journal.read(into))?.steps.map(({ name, result }) => `${name} ${result === undefined ? "not done" : "done"}`)).toEqual(["infrastructure done", "stop done", "vault done", "unseal not done"]);
      await unseal(empty.link, (await readFile(vault.keysFile, "utf8")).trim().split("\n"), context.signal);
    }
    const startedAt = new Date();
    const { steps } = await recoverFull(context, options(into));
    const earlier = new Set(ofVault("infrastructure", "stop", "vault"));
    expect(outcomes(steps)).toEqual(order.map((name) => `${name} ${earlier.has(name) ? "kept" : "done"}`));
    expect(await readFile(join(directory, "up.log"), "utf8")).toMatch(/^(up|up --stack secondary .*)\n$/); // once
    expect(server.collections).toEqual(qdrant.collections);
    if (vault !== undefined && empty !== undefined) expect(await readSecretOf(withToken(empty.link, vault.root.as["x-vault-token"] ?? ""), "app/key")).toBe("of the services");
    expect(steps.find(({ name }) => name === "validate")?.result).toMatch(new RegExp(`^${agents} agents: ${agents} as PostgreSQL has them.*${points} vectors can be read`));
    expect(steps.find(({ name }) => name === "validate")?.result).toMatch(new RegExp(`${points} sampled vectors and ${agents * points} rows: all fit$`));
    expect(cluster.asked).toEqual(["workers 0", "api 0", "api 2", "workers 3", "healthz"]);

    // What is wrong between rows and vectors is found in the servers that came back.
    const there = recoveredAs(context, placesIn(into));
    const memory = server.collections.get("memory");
    memory?.delete(7);
    memory?.set(1_000, { id: 1_000, vector: [0, 0, 0, 1], payload: { agent: "agent-of-nobody" } });
    const { postgres } = placesIn(into);
    const back = await connectTo({ host: postgres.socketDirectory, port: postgres.port });
    await back.query("insert into memories (agent_id, vector) values ('agent-000001', 2000), ('agent-000002', null)").finally(() => back.end());
    const fit = await checkVectors(there, startedAt);
    expect(fit).toEqual({ ok: false, vectors: points, rows: agents * points + 1, strangers: ["1000 of memory (agent-of-nobody)"], missing: ["7 of memory"], late: 1 });
    expect(fit === undefined ? [] : vectorFaults(fit)).toEqual([expect.stringMatching(/^1 sampled vectors belong to agents/), expect.stringMatching(/^1 vectors that rows name are not there/)]);
    await expect(checkVectors({ ...there, config: { ...there.config, vectors: undefined } }, new Date())).resolves.toBeUndefined();
  });

  it("comes back by the command, killed where PostgreSQL is restored and stopped where services start, each time going on", async () => {
    const { context, into, server } = await freshRegion("killed", false);
    const file = join(folder, "killed.json");
    await writeFile(file, JSON.stringify(context.config));
    const dr = () => spawn(process.execPath, ["cli/dr.ts", "--config", file, "recover", "full", "--into", into, "--without", "vault"], { stdio: ["ignore", "pipe", "pipe"] });
    const first = dr();
    await said(first, /restoring \S+ from/);
    first.kill("SIGKILL");
    await ended(first);
    cluster.stuck.set("api", "its image cannot be pulled");
    const second = dr();
    await said(second, /starting api/);
    second.kill("SIGTERM");
    expect(await ended(second)).toEqual([exitCodes.interrupted, expect.stringMatching(/stopped by SIGTERM/)]);
    cluster.stuck.clear();
    const { steps } = await recoverFull(context, options(into, { tier: "warm", without: ["vault"] }));
    expect(outcomes(steps)).toEqual(["stop kept", "postgres kept", "redis kept", "vectors kept", "validate done", "services done", "health done"]);
    expect(server.collections).toEqual(qdrant.collections);
    expect((await Journal.read(into))).toBeUndefined();
  });
});

const heard = new WeakMap<ChildProcess, string>();
function listen(child: ChildProcess): void {
  if (heard.has(child)) return;
  heard.set(child, "");
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void heard.set(child, `${heard.get(child) ?? ""}${text}`));
}

async function said(child: ChildProcess, what: RegExp): Promise<void> {
  listen(child);
  await expect.poll(() => `${heard.get(child) ?? ""}${child.exitCode === null ? "" : `\nended with ${child.exitCode}`}`, { timeout: 60_000, interval: 20 }).toMatch(what);
}

async function ended(child: ChildProcess): Promise<[number | null, string]> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once("exit", resolve));
  return [child.exitCode, heard.get(child) ?? ""];
}

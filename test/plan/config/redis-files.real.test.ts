import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { aclFile, configurationOf, probeScriptFile, recoverScriptFile, redisServerFiles, secretScriptFile, sentinelFiles, sentinelStartFile, startScriptFile, type NamedServer, type RedisFilesArgs, type RedisPaths } from "../../../plan/config/redis-files.ts";
import { redisRoles } from "../../../plan/config/redis.ts";
import { secretsWanted } from "../../../plan/config/secret-template.ts";
import { redisSecret, sentinelSecret } from "../../../plan/secrets.ts";
import { clientArguments, connectRedis } from "../../../runner/stores/redis/connection.ts";
import { waitFor } from "../../../runner/system/wait.ts";

/**
 * The files that the cluster mounts, with the real redis-server, over TLS: three servers and three Sentinels, each on
 * a loopback address of its own with the ports of the cluster shifted.
 */
const run = promisify(execFile);
const [redisPort, sentinelPort] = [26_791, 26_792];
const password = "Pass-word_1.~+/=";

let root: string;
const children = new Map<string, ChildProcess>();
let version: string;

const server = (index: number): NamedServer => ({ name: `redis-${index}`, host: `127.0.31.${index}`, port: redisPort });
const sentinel = (index: number): NamedServer => ({ name: `redis-sentinel-${index}`, host: `127.0.31.${index}`, port: sentinelPort });
const all = [1, 2, 3];
const primary = server(1);

const pathsOf = (name: string): RedisPaths => ({ files: join(root, name, "files"), run: join(root, name, "run"), data: join(root, name, "data"), tls: join(root, "tls"), secrets: join(root, "secrets") });
const argsOf = (one: NamedServer): RedisFilesArgs => ({ plan: blackroad, version, paths: pathsOf(one.name), servers: [one], address: one.host, masterName: "blackroad", sentinels: all.map(sentinel), priority: one.name === "redis-3" ? 100 : 10 });

async function prepare(one: NamedServer, files: Readonly<Record<string, string>>): Promise<RedisPaths> {
  const paths = pathsOf(one.name);
  for (const folder of [paths.files, paths.run, paths.data]) await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(paths.files, name), text);
  return paths;
}
const render = (paths: RedisPaths, names: readonly string[]) => run("sh", [join(paths.files, secretScriptFile), paths.secrets, paths.files, paths.run, ...names]);

function start(name: string, args: readonly string[]): void {
  const child = spawn("sh", args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = (chunk: Buffer) => void (logs[name] = (logs[name] ?? "") + chunk.toString());
  child.stdout.on("data", said);
  child.stderr.on("data", said);
  children.set(name, child);
}
const logs: Record<string, string> = {};

async function kill(name: string): Promise<void> {
  const child = children.get(name);
  children.delete(name);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

/** As a pod that is made anew: what was in memory is gone, the volume is what it was. */
async function startServer(one: NamedServer): Promise<void> {
  await rm(pathsOf(one.name).run, { recursive: true, force: true });
  const paths = await prepare(one, redisServerFiles(argsOf(one)));
  await render(paths, [configurationOf(one.name), aclFile]);
  start(one.name, [join(paths.files, startScriptFile), one.host, join(paths.run, configurationOf(one.name)), join(paths.run, "redis.conf"), paths.data, String(redisPort)]);
}
async function startSentinel(one: NamedServer): Promise<void> {
  await rm(pathsOf(one.name).run, { recursive: true, force: true });
  const args = { ...argsOf(one), servers: [], sentinel: one, primaryPort: redisPort };
  const paths = await prepare(one, sentinelFiles(args));
  await render(paths, [configurationOf(one.name)]);
  start(one.name, [join(paths.files, sentinelStartFile), `${one.host}:${one.port}`, join(paths.run, configurationOf(one.name)), join(paths.run, "sentinel.conf"), primary.host]);
}

async function ask(one: NamedServer, user: string | undefined, ...commands: string[]): Promise<string> {
  const login = user === undefined ? `AUTH ${password}` : `AUTH ${user} ${password}`;
  const asking = run("redis-cli", ["-h", one.host, "-p", String(one.port), "--tls", "--cacert", join(root, "tls", "ca.crt")], { timeout: 5_000 });
  asking.child.stdin?.end([login, ...commands, ""].join("\n"));
  return (await asking).stdout;
}
const ready = async (one: NamedServer): Promise<boolean> => {
  const paths = pathsOf(one.name);
  return run("sh", [join(paths.files, probeScriptFile), "ready"]).then(() => true, () => false);
};
const leader = async (): Promise<string | undefined> => {
  const answers = await Promise.all(all.map(async (index) => (await ask(sentinel(index), undefined, "SENTINEL get-master-addr-by-name blackroad").catch(() => "")).split("\n")[1]));
  return answers.every((one) => one === answers[0]) ? answers[0] : undefined;
};

/** As the jobs do: over TLS, by the authority's certificate, as the user `backup`. */
async function backsUp(one: NamedServer): Promise<void> {
  const address = { host: one.host, port: one.port, user: "backup", passwordFile: join(root, "secrets", redisSecret("backup"), "value"), caFile: join(root, "tls", "ca.crt") };
  const link = await connectRedis(address);
  expect(await link.send("INFO", "replication")).toContain("role:master");
  link.close();
  const dumping = run("redis-cli", [...clientArguments(address), "--rdb", join(root, "dump.rdb")], { timeout: 20_000 });
  dumping.child.stdin?.end(`${password}\n`);
  await dumping;
  expect((await readFile(join(root, "dump.rdb"))).subarray(0, 5).toString()).toBe("REDIS");
}

async function certificates(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...key, "-keyout", join(folder, "ca.key"), "-out", join(folder, "ca.crt"), "-days", "2", "-subj", "/CN=test authority"]);
  await run("openssl", ["req", "-x509", ...key, "-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt"), "-days", "2", "-subj", "/CN=redis", "-addext", `subjectAltName=${all.map((index) => `IP:${server(index).host}`).join(",")}`, "-CA", join(folder, "ca.crt"), "-CAkey", join(folder, "ca.key")]);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "redis-files-"));
  version = /v=(\d+\.\d+\.\d+)/.exec((await run("redis-server", ["--version"])).stdout)?.[1] ?? "";
  await certificates(join(root, "tls"));
  for (const name of [...redisRoles.map(redisSecret), sentinelSecret]) {
    await mkdir(join(root, "secrets", name), { recursive: true });
    await writeFile(join(root, "secrets", name, "value"), password);
  }
});
afterEach(async () => {
  for (const name of [...children.keys()]) await kill(name);
  await rm(root, { recursive: true, force: true });
});

describe("the files of Redis in pods", () => {
  it("hold no secret until they are rendered, and refuse one that could break a line", async () => {
    const files = redisServerFiles(argsOf(primary));
    expect(Object.values(files).join("\n")).not.toContain(password);
    expect(secretsWanted(Object.values(files))).toEqual(redisRoles.map(redisSecret).sort());
    const paths = await prepare(primary, files);
    await render(paths, [configurationOf(primary.name), aclFile]);
    expect(await readFile(join(paths.run, configurationOf(primary.name)), "utf8")).toContain(`masterauth ${password}\n`);
    expect(await readFile(join(paths.run, aclFile), "utf8")).not.toMatch(/@(secret|sha256):|Pass-word/);
    await writeFile(join(paths.secrets, redisSecret("replica"), "value"), "two words");
    await expect(render(paths, [configurationOf(primary.name)])).rejects.toThrow(/the secret redis-replica is empty, or holds other characters/);
  });

  it("bring up a primary with its replicas, and take a pod that is made anew back as a replica after a failover", async () => {
    for (const index of all) await startServer(server(index)); // they wait for the Sentinels
    for (const index of all) await startSentinel(sentinel(index));
    await waitFor("three servers that are ready", async () => (await Promise.all(all.map((index) => ready(server(index))))).every(Boolean), { within: 60, every: 0.5 });
    expect(logs["redis-1"]).toContain("starting as the primary");
    expect(logs["redis-2"]).toContain(`following ${primary.host}`);
    expect(await ask(primary, "app", "SET agent:1 remembered")).toBe("OK\nOK\n");
    await backsUp(primary);
    await waitFor("both replicas known to the Sentinels", async () => (await ask(sentinel(3), undefined, "SENTINEL MASTER blackroad")).includes("num-slaves\n2\n"), { within: 60, every: 0.5 });

    await kill("redis-1");
    await kill("redis-sentinel-1");
    await waitFor("the near replica as the primary", async () => (await ask(sentinel(3), undefined, "SENTINEL get-master-addr-by-name blackroad")).split("\n")[1] === server(2).host, { within: 60, every: 0.5 });
    expect(await ask(server(2), "app", "GET agent:1")).toBe("OK\nremembered\n");

    await startSentinel(sentinel(1)); // with its memory gone, it learns from the others
    await startServer(primary);
    await waitFor("the old primary as a replica", () => ready(primary), { within: 60, every: 0.5 });
    expect(logs["redis-sentinel-1"]).toContain(`watching ${server(2).host}`);
    expect(await ask(primary, "monitoring", "INFO replication")).toContain("role:slave");
    await waitFor("the same leader at every Sentinel", async () => (await leader()) === server(2).host, { within: 60, every: 0.5 });
  });

  it("do not let a primary with an empty volume have its replicas wipe theirs", async () => {
    for (const index of all) await startSentinel(sentinel(index));
    for (const index of all) await startServer(server(index));
    await waitFor("both replicas known to every Sentinel", async () => (await Promise.all(all.map((index) => ask(sentinel(index), undefined, "SENTINEL MASTER blackroad")))).every((answer) => answer.includes("num-slaves\n2\n")), { within: 60, every: 0.5 });
    await ask(primary, "app", "SET agent:1 remembered");
    await waitFor("the write on the replicas", async () => (await Promise.all([2, 3].map((index) => ask(server(index), "app", "GET agent:1")))).every((answer) => answer.includes("remembered")), { within: 20, every: 0.2 });

    await kill("redis-1");
    logs["redis-1"] = "";
    await rm(pathsOf("redis-1").data, { recursive: true });
    await startServer(primary); // within the Sentinels' patience: they still hold it for the primary
    await waitFor("another primary", async () => { const now = await leader(); return now !== undefined && now !== primary.host; }, { within: 60, every: 0.5 });
    await waitFor("the emptied server as a replica with the data", async () => (await ask(primary, "app", "GET agent:1").catch(() => "")).includes("remembered"), { within: 60, every: 0.5 });
    expect(logs["redis-1"]).toContain("its volume is empty");
    expect(logs["redis-1"]).not.toContain("starting as the primary");
  });

  it("start a restored server once from what dr recovered, and from its own data after that", async () => {
    const alone: NamedServer = { name: "redis-restored-0", host: "127.0.31.4", port: redisPort };
    const args = { ...argsOf(alone), sentinels: [], recovery: { backup: "latest", configFile: "/etc/dr/dr.json" } };
    const paths = await prepare(alone, redisServerFiles(args));
    await render(paths, [configurationOf(alone.name), aclFile]);
    // In the place of `dr`: a server with one key, left running on the socket that it was told, as `dr` leaves one.
    const programs = join(root, "bin");
    await mkdir(programs);
    const fake = `#!/bin/sh\nset -eu\necho "$*" >> ${join(root, "calls")}\nredis-server --port 0 --unixsocket "\$9" --dir "\$7" --daemonize yes --appendonly yes > /dev/null\nuntil redis-cli -s "\$9" set agent:1 recovered 2> /dev/null; do sleep 0.1; done\n`;
    await writeFile(join(programs, "dr"), fake, { mode: 0o755 });
    const recover = () => run("sh", [join(paths.files, recoverScriptFile)], { env: { ...process.env, PATH: `${programs}:${process.env["PATH"] ?? ""}` }, timeout: 30_000 });
    await recover();
    expect((await recover()).stdout).toBe("recovered before\n");
    expect(await readFile(join(root, "calls"), "utf8")).toBe(`--config /etc/dr/dr.json recover redis latest --into ${paths.data} --socket ${join(paths.run, "recover.sock")} --force\n`);

    start(alone.name, ["-c", `exec redis-server ${join(paths.run, configurationOf(alone.name))}`]);
    await waitFor("the restored server", () => ready(alone), { within: 30, every: 0.2 });
    expect(await ask(alone, "app", "GET agent:1")).toBe("OK\nrecovered\n");
    expect(await ask(alone, "monitoring", "INFO replication")).toMatch(/role:master[^]*connected_slaves:0/);
  });
});

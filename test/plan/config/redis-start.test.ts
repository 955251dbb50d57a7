import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { primaryMark, redisStartScript, sentinelStartScript, type RedisStart } from "../../../plan/config/redis-start.ts";

const run = promisify(execFile);

/** The scripts with Sentinels that say what a test lets them say; `redis-server` only says what it was given. */
describe("what the Sentinels say", () => {
  let folder: string;
  const at = (...path: string[]) => join(folder, ...path);
  const start = (): RedisStart => ({
    masterName: "blackroad",
    sentinels: ["s1", "s2", "s3"].map((host) => ({ host, port: 26_379 })),
    quorum: 2,
    tls: { port: 6379, certFile: "tls.crt", keyFile: "tls.key", caFile: "ca.crt" },
    sentinelPasswordFile: at("password"),
  });
  /** As redis-cli prints it: the answers to AUTH, to the primary's address and to what is known of it. */
  const says = (sentinel: string, host: string, epoch: number, replicas = 2) => writeFile(at("answers", sentinel), ["OK", host, "6379", "name", "blackroad", "ip", "old-address", "flags", "master", "num-slaves", replicas, "config-epoch", epoch, ""].join("\n"));
  const refuses = (sentinel: string) => writeFile(at("answers", sentinel), "WRONGPASS invalid password\nNOAUTH Authentication required.\nNOAUTH Authentication required.\n");
  const call = (script: string, ...args: string[]) => run("sh", [at(script), ...args], { env: { ...process.env, PATH: `${at("bin")}:${process.env["PATH"] ?? ""}` }, timeout: 2_500 }).then(({ stdout }) => stdout, (error: unknown) => (error instanceof Error && "stdout" in error ? String(error.stdout) : String(error)));
  const server = (self: string) => call("start.sh", self, at("redis-0.conf"), at("redis.conf"), at("data"), "6379");
  const sentinel = () => call("sentinel-start.sh", "s1:26379", at("sentinel-template"), at("sentinel.conf"), "127.0.34.9");

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "redis-start-"));
    for (const name of ["bin", "answers"]) await mkdir(at(name));
    await writeFile(at("bin", "redis-cli"), `#!/bin/sh\ncat > /dev/null\ncat ${at("answers")}/"$2"\n`, { mode: 0o755 });
    await writeFile(at("bin", "redis-server"), '#!/bin/sh\necho "redis-server $*"\n', { mode: 0o755 });
    await writeFile(at("password"), "secret");
    await writeFile(at("redis-0.conf"), "port 0\n");
    await writeFile(at("sentinel-template"), `sentinel monitor blackroad ${primaryMark} 6379 2\n`);
    await writeFile(at("start.sh"), redisStartScript(start()));
    await writeFile(at("sentinel-start.sh"), sentinelStartScript(start()));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const holdsData = async () => {
    await mkdir(at("data", "appendonlydir"), { recursive: true });
    await writeFile(at("data", "appendonlydir", "appendonly.aof.manifest"), "file appendonly.aof.1.base.rdb seq 1 type b\n");
  };

  it("makes a server the primary, or the replica of whom the newest failover chose", async () => {
    await holdsData();
    await says("s1", "redis-0", 3);
    await says("s2", "redis-1", 4);
    await says("s3", "redis-0", 0);
    expect(await server("redis-1")).toBe(`starting as the primary\nredis-server ${at("redis.conf")}\n`);
    expect(await readFile(at("redis.conf"), "utf8")).toBe("port 0\n");
    expect(await server("redis-0")).toContain("following redis-1\n");
    expect(await readFile(at("redis.conf"), "utf8")).toBe("port 0\nreplicaof redis-1 6379\n");
  });

  it("makes the folder of the data on a new volume, as Redis makes none", async () => {
    for (const one of ["s1", "s2", "s3"]) await says(one, "redis-0", 0, 0);
    expect(await server("redis-0")).toContain("redis-server");
    expect(await readdir(at("data"))).toEqual([]);
  });

  it("holds a server back where less than a majority answers; a refusal is no answer", async () => {
    await holdsData();
    await says("s1", "redis-0", 3);
    await refuses("s2");
    expect(await server("redis-0")).toBe("waiting: 1 Sentinels answer, 2 must\n");
    await says("s3", "redis-0", 3);
    expect(await server("redis-0")).toContain("redis-server");
  });

  it("holds a primary back whose volume is empty while there are replicas, and starts one that never ran", async () => {
    for (const name of ["s1", "s2", "s3"]) await says(name, "redis-0", 3, name === "s3" ? 1 : 0);
    expect(await server("redis-0")).toMatch(/^waiting: [^\n]* its volume is empty[^\n]*\n$/);
    for (const name of ["s1", "s2", "s3"]) await says(name, "redis-0", 0, 0);
    expect(await server("redis-0")).toContain("starting as the primary\nredis-server");
  });

  it("tells a Sentinel whom to watch; the first one of all watches whom it is told", async () => {
    expect(await sentinel()).toContain("watching 127.0.34.9, of which 0 Sentinels said so\nredis-server");
    await says("s2", "127.0.34.7", 5);
    await says("s1", "127.0.34.1", 9); // itself, from before
    expect(await sentinel()).toContain("watching 127.0.34.7");
    expect(await readFile(at("sentinel.conf"), "utf8")).toBe("sentinel monitor blackroad 127.0.34.7 6379 2\nsentinel config-epoch blackroad 5\n");
  });
});

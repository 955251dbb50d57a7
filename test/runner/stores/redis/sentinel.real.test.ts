import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { sentinelConf } from "../../../../plan/config/sentinel.ts";
import { connectRedis } from "../../../../runner/stores/redis/connection.ts";
import { readInfo } from "../../../../runner/stores/redis/server-state.ts";
import { makeFolder, writeDurably } from "../../../../runner/system/files.ts";
import { startServer, type Server } from "../../../../runner/system/process.ts";
import { findProgram } from "../../../../runner/system/programs.ts";
import { startTestRedis, testPassword, type TestRedis } from "../../../harness/redis.ts";
import { freePort, temporaryFolder } from "../../../harness/temporary.ts";

// As shipped. With a second of silence for a death, a crowded machine fails over and back again.
const plan = blackroad;
const folder = await temporaryFolder("sentinel");
const servers: Server[] = [];
let primary: TestRedis;
let replica: TestRedis;

beforeAll(async () => {
  primary = await startTestRedis({ folder: await makeFolder(join(folder.path, "a")) });
  replica = await startTestRedis({ folder: await makeFolder(join(folder.path, "b")), replicaOf: primary });
  servers.push(primary.server, replica.server);
  for (const name of ["one", "two", "three"]) {
    const dir = await makeFolder(join(folder.path, name));
    const file = join(dir, "sentinel.conf");
    await writeDurably(file, sentinelConf({ plan, version: primary.version, name, port: await freePort(), bind: ["127.0.0.1"], dir, masters: [{ name: "main", host: "127.0.0.1", port: primary.port }], auth: { user: "sentinel", password: testPassword("sentinel") }, password: "among sentinels" }), { mode: 0o600 });
    servers.push(await startServer(name, await findProgram("redis-server"), [file, "--sentinel"], { cwd: dir, logFile: join(dir, "log") }));
  }
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.kill()));
  await folder.remove();
});

async function infoOf(redis: TestRedis): Promise<Map<string, string>> {
  const link = await connectRedis(redis.address("monitoring"));
  try {
    return await readInfo(link);
  } finally {
    link.close();
  }
}

describe("three Sentinels with the shipped configuration and ACL", () => {
  it("promote the replica when the primary is killed, and the old primary comes back as its replica", async () => {
    const app = await primary.connect("app");
    await app.send("SET", "session:1", "kept");
    await app.send("WAIT", "1", "5000");
    app.close();
    // Sentinels tell each other of themselves every 2 s; before that there is no quorum.
    const admin = await replica.connect();
    await expect.poll(() => admin.send("PUBSUB", "NUMSUB", "__sentinel__:hello"), { timeout: 20_000 }).toEqual(["__sentinel__:hello", 3]);
    admin.close();
    await primary.kill();
    await expect.poll(() => infoOf(replica).then((info) => info.get("role")), { timeout: 90_000, interval: 200 }).toBe("master");
    const promoted = await replica.connect("app");
    expect(await promoted.send("GET", "session:1")).toBe("kept");
    await promoted.send("SET", "session:2", "new");
    promoted.close();
    const back = await startServer("back", await findProgram("redis-server"), [join(folder.path, "a", "redis.conf")], { cwd: join(folder.path, "a"), logFile: join(folder.path, "a", "back.log") });
    servers.push(back);
    // A Sentinel that was not scheduled for 2 s (a crowded disk is enough) does nothing for 30 s (`TILT`), and then
    // watches the old primary for 8 s before it turns it round: more than one such pause must fit.
    await expect.poll(() => infoOf(primary).then((info) => [info.get("role"), info.get("master_link_status")], () => undefined), { timeout: 120_000, interval: 200, message: "a replica again" }).toEqual(["slave", "up"]).catch(async (cause: unknown) => {
      throw new Error((await Promise.all(["one", "two", "three"].map((name) => readFile(join(folder.path, name, "log"), "utf8")))).join("\n---\n"), { cause });
    });
  });
});

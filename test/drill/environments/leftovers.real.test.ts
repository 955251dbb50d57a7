import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countLeftovers, findDrills, findLeftovers, isOwnerAlive, mountsUnder, nameLeftovers, removeDrill, writeMark } from "../../../drill/environments/local/leftovers.ts";
import { drillMarker, findMarked, findProcesses } from "../../../drill/environments/local/processes.ts";
import { run, startServer, type Server } from "../../../runner/system/process.ts";
import { isRoot } from "../../../runner/system/user.ts";

let parent = "";
let root = "";
let started: Server[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "left-"));
  root = join(parent, "drill");
  await mkdir(root);
});
afterEach(async () => {
  await Promise.all(started.map((server) => server.kill()));
  started = [];
  for (const point of await mountsUnder(parent)) await run("umount", [point], { deadline: 10 });
  await rm(parent, { recursive: true });
});

async function start(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Server> {
  const server = await startServer("sleeper", "sh", ["-c", ...args], { cwd: options.cwd ?? "/", logFile: join(parent, "log"), ...(options.env === undefined ? {} : { env: options.env }) });
  started.push(server);
  return server;
}

describe("what a drill left", () => {
  it("is found by working directory, argument, open file and mark, whatever group it is in", async () => {
    await writeFile(join(root, "data"), "x");
    const servers = [
      await start(["exec sleep 100"], { cwd: root }),
      await start(["sleep 100; :", join(root, "redis.conf")]),
      await start([`exec 3< ${root}/data; exec sleep 100`]),
      await start(["exec sleep 100"], { env: { [drillMarker]: "drill-x" } }),
    ];
    const { processes } = await findLeftovers(root, "drill-x");
    expect(processes.map(({ pid }) => pid).sort()).toEqual(servers.map(({ pid }) => pid).sort());
  });

  it("is not somebody else's: another drill, a folder with a longer name, this process", async () => {
    await mkdir(`${root}-2`);
    await start(["exec sleep 100"], { cwd: `${root}-2`, env: { [drillMarker]: "drill-xy" } });
    await start(["sleep 100; :", `${root}-2/redis.conf`]);
    expect((await findLeftovers(root, "drill-x")).processes).toEqual([]);
  });

  it("is ended and removed, also what starts new processes as it is killed", async () => {
    await start(["while :; do sleep 0.01; done"], { cwd: root });
    await start(["trap '' TERM; while :; do setsid sleep 5; done"], { cwd: root });
    await writeFile(join(root, "file"), "x");
    expect(nameLeftovers(await removeDrill(root, "drill-x"))).toEqual([]);
    expect(await findProcesses({ folders: [root] })).toEqual([]);
  });

  it("is unmounted, the deepest first", async ({ skip }) => {
    skip(!isRoot(), "only root can mount");
    for (const folder of ["disk", "disk/inner disk"]) {
      await mkdir(join(root, folder), { recursive: true });
      await run("mount", ["-t", "tmpfs", "-o", "size=1m", "drill", join(root, folder)], { deadline: 10 });
    }
    expect((await findLeftovers(root, "drill-x")).mounts).toEqual([join(root, "disk/inner disk"), join(root, "disk")]);
    expect(countLeftovers(await removeDrill(root, "drill-x"))).toBe(0);
  });

  it("is told by its mark: whose it is, and whether he still runs", async () => {
    await writeMark(root, "drill-x");
    await mkdir(join(parent, "not a drill"));
    const [mark, ...others] = await findDrills(parent);
    expect(others).toEqual([]);
    expect(mark).toMatchObject({ id: "drill-x", root, pid: process.pid });
    if (mark === undefined) return;
    expect(await isOwnerAlive(mark)).toBe(true);
    expect(await isOwnerAlive({ ...mark, pidStartedAt: "1" })).toBe(false); // its number was given to somebody else
  });

  it("is found although its folder is gone already", async () => {
    const server = await start(["exec sleep 100"], { env: { [drillMarker]: `lost-${process.pid}` } });
    expect((await findMarked()).get(`lost-${process.pid}`)?.map(({ pid }) => pid)).toEqual([server.pid]);
  });
});

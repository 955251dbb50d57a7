import { setTimeout } from "node:timers/promises";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProcesses } from "../../drill/environments/local/processes.ts";
import { run, startServer, type Server } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";
import { waitFor } from "../../runner/system/wait.ts";

/** Drills that do not come to their end: stopped, killed, without a program. Each has a TMPDIR of its own. Two at once are
 * played by scenarios.real.test.ts. */
const cli = resolve(import.meta.dirname, "../../cli/dr.ts");
const small = ["drill", "run", "--scenario", "primary-loss", "--agents", "200"];
const started: Server[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "di-"));
  await run("chmod", ["755", folder], { deadline: 10 });
});
afterAll(async () => {
  for (const server of started) await server.kill();
  await rm(folder, { recursive: true, force: true });
});

interface Playing {
  readonly server: Server;
  readonly log: () => Promise<string>;
  readonly drills: string;
}

/** Starts a drill whose folder lies in `NAME` below ours, and waits until its log says `step`. */
async function playUntil(name: string, step: string): Promise<Playing> {
  const drills = join(folder, name);
  await run("mkdir", ["-m", "1777", drills], { deadline: 10 });
  const logFile = join(folder, `${name}.log`);
  const server = await startServer(name, process.execPath, [cli, ...small, "--out", join(folder, `${name}-report`)], { cwd: folder, env: { TMPDIR: drills }, logFile });
  started.push(server);
  const log = () => readFile(logFile, "utf8");
  await waitFor(`${name} to ${step}`, async () => (await log()).includes(step), { within: 90, fatal: () => !server.running() });
  return { server, log, drills };
}

const left = async (drills: string) => ({ processes: (await findProcesses({ folders: [drills] })).map(({ command }) => command), folders: (await readdir(drills)).filter((name) => name.startsWith("dr-drill-")) });
const nothing = { processes: [], folders: [] };
const sweepIn = (drills: string) => run(process.execPath, [cli, "--json", "drill", "sweep"], { deadline: 60, env: { TMPDIR: drills } });

describe("a drill that is not let finish", () => {
  it("tears down on a closed terminal and on Ctrl-C, said at once as wrappers do, says so, and leaves nothing", async () => {
    const { server, log, drills } = await playUntil("signals", "start the live workload");
    for (const signal of ["SIGHUP", "SIGINT", "SIGINT"] as const) {
      process.kill(server.pid, signal);
      await setTimeout(20); // two signals that are pending at once are one
    }
    await waitFor("the end of the drill", () => !server.running(), { within: 60 });
    expect(await log()).toContain("SIGHUP: stopping; what was begun is being torn down");
    expect(await log()).toMatch(/everything was torn down, leftovers: 0/);
    expect(await left(drills)).toEqual(nothing);
  });

  it.each([["k1", "making the PostgreSQL leader"], ["k2", "seed 200 agents"], ["k3", "the dead leader's lease ends"]])("(%s) killed at \"%s\" is swept without a rest, and not while it lives", async (name, step) => {
    const { server, drills } = await playUntil(name, step);
    const whileAlive = JSON.parse((await sweepIn(drills)).stdout) as { removed: string[]; running: string[] };
    expect(whileAlive).toMatchObject({ removed: [], running: [expect.stringMatching(/^dr-drill-/)] });
    process.kill(server.pid, "SIGKILL");
    await waitFor("the end of the drill", () => !server.running(), { within: 20 });
    expect((await left(drills)).processes.length).toBeGreaterThan(0);
    const swept = JSON.parse((await sweepIn(drills)).stdout) as { removed: string[]; leftovers: string[] };
    expect(swept).toMatchObject({ removed: [expect.stringMatching(/^dr-drill-/)], leftovers: [] });
    expect(await left(drills)).toEqual(nothing);
  });

  it("says which program is missing and how to get it, before it begins", async () => {
    const bare = join(folder, "bin");
    await run("mkdir", ["-p", bare], { deadline: 10 });
    for (const tool of ["bash", "id", "openssl", "test", "sleep"]) await run("ln", ["-s", await findProgram(tool), join(bare, tool)], { deadline: 10 });
    const { code, stderr } = await run(process.execPath, [cli, ...small, "--out", join(folder, "bare")], { deadline: 60, accept: [0, 1, 2, 5], env: { PATH: `${bare}:${dirname(process.execPath)}`, HOME: folder } });
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringMatching(/the program (patroni|pgbackrest|redis-server|etcd) is not on this machine[\s\S]*apt-get install/) as unknown });
  });
});

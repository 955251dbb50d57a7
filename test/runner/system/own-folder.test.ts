import { spawnSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { holderOf } from "../../../runner/system/lock-file.ts";
import { inOwnFolder, sweepOwnFolders } from "../../../runner/system/own-folder.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const folder = await temporaryFolder("own");
afterAll(() => folder.remove());

describe("a folder of one run", () => {
  it("is gone when the run has ended, well or not", async () => {
    const root = join(folder.path, "ended");
    expect(await inOwnFolder(root, async (own) => (await writeFile(join(own, "secret"), "x"), (await readdir(root)).length))).toBe(1);
    await expect(inOwnFolder(root, () => Promise.reject(new Error("it failed")))).rejects.toThrow("it failed");
    expect(await readdir(root)).toEqual([]);
  });

  it("of a run that was killed goes with the next one's, also where its number is another's by now; that of one at work stays", async () => {
    const root = join(folder.path, "killed");
    const alive = `${(await holderOf(process.ppid)).replace(" ", "-")}-alive`;
    const reused = `${process.ppid}-1-reused`;
    const dead = `${spawnSync("/bin/true").pid}-1-dead`;
    for (const name of [alive, reused, dead, "s-of-an-older-release"]) await mkdir(join(root, name), { recursive: true });
    await inOwnFolder(root, async () => expect(await readdir(root)).toHaveLength(2));
    expect(await readdir(root)).toEqual([alive]);
  });

  it("is not missed where there was never one", async () => {
    await sweepOwnFolders(join(folder.path, "never"));
    expect(await readdir(folder.path)).not.toContain("never");
  });
});

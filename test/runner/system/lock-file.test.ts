import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { holderOf, takeLockFile } from "../../../runner/system/lock-file.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const folder = await temporaryFolder("lock");
const lock = join(folder.path, "lock");
afterAll(() => folder.remove());

describe("a lock", () => {
  it("of a process that was killed is taken over, with what that left beside it, and of one that lives is not", async () => {
    const { pid: dead } = spawnSync("/bin/true");
    await writeFile(lock, `${dead} 12345`);
    await writeFile(`${lock}.${dead}-half`, `${dead} 12345`);
    await writeFile(`${lock}.${process.ppid}-alive`, "another's, a moment before it takes it");
    await writeFile(join(folder.path, "locked"), "not ours");
    expect(await takeLockFile(lock)).toBeUndefined();
    expect(await readFile(lock, "utf8")).toBe(await holderOf(process.pid));
    expect((await readdir(folder.path)).sort()).toEqual(["lock", `lock.${process.ppid}-alive`, "locked"]);
    expect(await takeLockFile(lock)).toBe(String(process.pid));
  });
});

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { endOrphans } from "../../../../runner/stores/postgres/orphans.ts";
import { run } from "../../../../runner/system/process.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

const folder = await temporaryFolder("orphans");
afterAll(() => folder.remove());

const isAtWork = async (pid: number): Promise<boolean> => !/^(|.*\) Z .*)$/s.test(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
const lock = (name: string, pid: number): Promise<void> => writeFile(join(folder.path, name), JSON.stringify({ execId: "1-2", pid }));

describe("the workers of a backup", () => {
  it("whose own process was killed are ended, as they have its lock with them; those of one that lives are left alone", async () => {
    const { stdout } = await run("/bin/sh", ["-c", "sleep 60 >/dev/null 2>&1 & echo $$ $!"], { deadline: 30 });
    const [leader = 0, worker = 0] = stdout.trim().split(" ").map(Number);
    await lock("main-backup.lock", leader);
    await lock("other-backup.lock", process.pid);
    expect(await isAtWork(worker)).toBe(true);
    expect(await endOrphans(folder.path, "other")).toBe(false);
    expect(await isAtWork(worker)).toBe(true);
    expect(await endOrphans(folder.path, "main")).toBe(true);
    await waitFor("the worker's end", async () => !(await isAtWork(worker)), { within: 10, every: 0.02 });
    expect(await endOrphans(folder.path, "main")).toBe(false);
  });
});

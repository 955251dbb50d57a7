import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DrError } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import { waitFor } from "../../system/wait.ts";

/** Seconds between two looks at a run that is in the way. */
const every = 0.5;

/**
 * Runs `work` alone on this machine, with a folder of its own that is empty; waits for another run to end. Two
 * machines at once are no danger: each copies what it finds changed, and the later index says so again.
 * @throws DrError of kind `unavailable` where the other run goes on for longer than `within` seconds
 */
export async function alone<T>(workDirectory: string, within: number, signal: AbortSignal, work: (folder: string) => Promise<T>): Promise<T> {
  const root = await makeFolder(join(workDirectory, "objects"));
  const lock = join(root, "lock");
  let holder = "";
  await waitFor("the end of another copying of objects", async () => {
    holder = await take(lock);
    return holder === "";
  }, { within, every, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new DrError({ kind: "unavailable", what: `another copying of objects is at work (process ${holder}), and did not end within ${within} s`, where: lock, todo: "Wait for its end; what it copies is not copied again.", cause });
  });
  const folder = join(root, "run");
  try {
    await rm(folder, { recursive: true, force: true }); // what a killed run left, credentials among it
    return await work(await makeFolder(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(lock, { force: true });
  }
}

/** Empty where it is ours now, and else whose it is. */
async function take(lock: string): Promise<string> {
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, `${process.pid} ${await startOf(process.pid)}`, { mode: 0o600 });
  try {
    await link(mine, lock); // whole or not at all
    return "";
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  const found = await readFile(lock, "utf8").catch(() => undefined);
  if (found === undefined) return take(lock);
  const [pid = "", start = ""] = found.split(" ");
  // A process number is used again; when it began tells two apart.
  if ((await startOf(Number(pid))) === start) return pid;
  await removeStale(lock, found);
  return take(lock);
}

/** Somebody else may have taken it since it was read: then it is put back. */
async function removeStale(lock: string, stale: string): Promise<void> {
  const aside = `${lock}.${process.pid}.stale`;
  await rename(lock, aside).catch(() => undefined); // gone: somebody was faster
  const moved = await readFile(aside, "utf8").catch(() => stale);
  if (moved !== stale) await link(aside, lock);
  await rm(aside, { force: true });
}

/** In the kernel's ticks since the machine's start; `gone` where there is no such process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" ? "gone" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "gone");
}

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DrError } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import { takeLockFile } from "../../system/lock-file.ts";
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
  let holder: string | undefined;
  await waitFor("the end of another copying of objects", async () => {
    holder = await takeLockFile(lock);
    return holder === undefined;
  }, { within, every, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new DrError({ kind: "unavailable", what: `another copying of objects is at work (process ${holder ?? "unknown"}), and did not end within ${within} s`, where: lock, todo: "Wait for its end; what it copies is not copied again.", cause });
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

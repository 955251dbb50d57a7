/** A lock between the processes of one machine: a file that is whole or not there, of a process that lives or is gone. */
import { randomBytes } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive } from "./pid.ts";

/**
 * Takes the lock, or says whose it is: `undefined` where it is ours now, else the number of the process that has it. A lock
 * of a process that is gone is taken over. Whoever took it removes the file.
 */
export async function takeLockFile(lock: string): Promise<string | undefined> {
  const mine = besides(lock);
  await writeFile(mine, await holderOf(process.pid), { mode: 0o600 });
  try {
    await link(mine, lock); // whole or not at all
    await sweepBesides(lock);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  const found = await readFile(lock, "utf8").catch(() => undefined);
  if (found === undefined) return takeLockFile(lock);
  const [pid = ""] = found.split(" ");
  // A process number is used again; when it began tells two apart.
  if ((await startOf(Number(pid))) !== gone && (await holderOf(Number(pid))) === found) return pid;
  await removeStale(lock, found);
  return takeLockFile(lock);
}

/** A file of ours for a moment; its name says whose it is. */
const besides = (lock: string): string => `${lock}.${process.pid}-${randomBytes(6).toString("hex")}`;

/** Removes what a process that was killed while it took the lock left beside it. */
async function sweepBesides(lock: string): Promise<void> {
  const before = `${basename(lock)}.`;
  for (const name of await readdir(dirname(lock))) {
    const pid = name.startsWith(before) ? /^(\d+)-/.exec(name.slice(before.length))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dirname(lock), name), { force: true });
  }
}

/** What stands in the lock of a process. */
export const holderOf = async (pid: number): Promise<string> => `${pid} ${await startOf(pid)}`;

/** Somebody else may have taken it since it was read: then it is put back. */
async function removeStale(lock: string, stale: string): Promise<void> {
  const aside = besides(lock);
  await rename(lock, aside).catch(() => undefined); // gone: somebody was faster
  const moved = await readFile(aside, "utf8").catch(() => stale);
  if (moved !== stale) await link(aside, lock);
  await rm(aside, { force: true });
}

const gone = "gone";

/** In the kernel's ticks since the machine's start; `gone` where there is no such process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" ? gone : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? gone);
}

import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, removeTree } from "./files.ts";
import { holderOf } from "./lock-file.ts";

/**
 * Gives `work` a folder of its own below `root`, for what lies in the clear: it is removed afterwards, and where the
 * process is killed, by the next one. Its name says whose it is.
 */
export async function inOwnFolder<T>(root: string, work: (folder: string) => Promise<T>): Promise<T> {
  await makeFolder(root);
  await sweepOwnFolders(root);
  const folder = await mkdtemp(join(root, `${(await holderOf(process.pid)).replace(" ", "-")}-`));
  try {
    return await work(folder);
  } finally {
    await removeTree(folder);
  }
}

/** Removes what processes of this machine left that are gone. A process number is used again, and its start tells two apart. */
export async function sweepOwnFolders(root: string): Promise<void> {
  const names = await readdir(root).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []; // nothing was ever done here
    throw error;
  });
  for (const name of names) {
    const [, pid, start] = /^(\d+)-([^-]+)-/.exec(name) ?? [];
    if (pid === undefined || start === undefined || (await holderOf(Number(pid))) !== `${pid} ${start}`) await removeTree(join(root, name));
  }
}

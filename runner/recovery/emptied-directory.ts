/** A directory that a recovery fills with files: nothing that is there is ever lost. */
import { mkdir, readdir, readFile, readlink, realpath, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DrError } from "../errors.ts";
import { makeFolder } from "../system/files.ts";

export interface EmptiedDirectory {
  /** Absolute, without symbolic links. */
  readonly dir: string;
  /** Where what was in it went. */
  readonly setAside: string | undefined;
}

/**
 * Makes the directory ready: empty, or emptied into a folder inside it where `force` says so. One in which a process has
 * files open (a server that runs on it) is refused in any case.
 */
export async function prepareDirectory(into: string, { force, label }: { readonly force: boolean; readonly label: string }): Promise<EmptiedDirectory> {
  await mkdir(into, { recursive: true, mode: 0o700 });
  const dir = await realpath(into);
  const entries = (await readdir(dir)).filter((name) => !name.startsWith(".replaced-") && name !== "lost+found");
  const user = entries.length === 0 ? undefined : await processOn(dir);
  if (user !== undefined) throw new DrError({ kind: "refused", what: `a process has files open in this directory (${user.name}, ${user.pid})`, where: dir, todo: "Name another directory with --into, or stop that process first." });
  if (entries.length === 0) return { dir, setAside: undefined };
  if (!force) throw new DrError({ kind: "refused", what: `the directory is not empty: it holds ${entries.slice(0, 3).join(", ")}${entries.length > 3 ? ", …" : ""}`, where: dir, todo: "Name an empty directory with --into, or add --force to move what is there aside." });
  const setAside = await makeFolder(join(dir, `.replaced-${label}`));
  for (const name of entries) await rename(join(dir, name), join(setAside, name));
  return { dir, setAside };
}

/** The recovery came to nothing: what it left goes, and what was there before is in its place again. */
export async function putBack({ dir, setAside }: EmptiedDirectory): Promise<void> {
  for (const name of await readdir(dir)) if (!name.startsWith(".replaced-") && name !== "lost+found") await rm(join(dir, name), { recursive: true, force: true });
  if (setAside === undefined) return;
  for (const name of await readdir(setAside)) await rename(join(setAside, name), join(dir, name));
  await rmdir(setAside);
}

/** A process, not ourselves, with a file open below `dir`. Only where /proc says so, and of others' processes to root alone. */
async function processOn(dir: string): Promise<{ readonly pid: number; readonly name: string } | undefined> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  for (const pid of pids) {
    const open = await readdir(`/proc/${pid}/fd`).catch(() => []); // gone, or another user's
    const paths = await Promise.all(open.map((descriptor) => readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "")));
    if (!paths.some((path) => path.startsWith(`${dir}/`))) continue;
    return { pid: Number(pid), name: (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() };
  }
  return undefined;
}

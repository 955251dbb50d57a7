import { lstat, mkdir, readdir, readFile, readlink, realpath, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DrError } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import type { OsUser } from "../../system/process.ts";
import { ownerOf } from "../../system/user.ts";

export interface RecoveryTarget {
  readonly dir: string;
  /** Who owns it, and will run the server and own its files. */
  readonly owner: OsUser | undefined;
  /** Where what was in it went. */
  readonly setAside: string | undefined;
}

/** Processes whose working directory is `dir`: a Redis server changes into its own. Only where /proc says so. */
async function processesIn(dir: string): Promise<{ pid: number; name: string }[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const at = await readlink(`/proc/${pid}/cwd`).catch(() => undefined); // gone, or another user's
      if (at !== dir) return [];
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      return [{ pid: Number(pid), name: name.trim() }];
    }),
  );
  return found.flat().filter(({ pid, name }) => pid !== process.pid && name.startsWith("redis"));
}

function holds(entries: readonly string[]): string {
  if (entries.some((name) => name === "appendonlydir" || name.endsWith(".aof"))) return "an append-only file, which Redis would load instead of the backup";
  if (entries.some((name) => name.endsWith(".rdb"))) return "an RDB";
  return `files of something else (${entries.slice(0, 3).join(", ")}${entries.length > 3 ? ", …" : ""})`;
}

/** Entries of the folder that something must be done about; those that an earlier recovery moved aside are none of them. */
const contentOf = async (dir: string): Promise<string[]> => (await readdir(dir)).filter((name) => !name.startsWith(".replaced-"));

/**
 * Looks at the folder that a recovery is to fill, and changes nothing.
 * @throws DrError where a server runs in it; and where it holds anything, unless `force`
 */
export async function checkTarget(into: string, force: boolean): Promise<void> {
  const dir = await realpath(into).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (dir === undefined) return;
  const [server] = await processesIn(dir);
  if (server !== undefined) throw new DrError({ kind: "refused", what: `a server runs in this directory (${server.name}, process ${server.pid})`, where: dir, todo: "Name another directory with --into, or stop that server first." });
  const entries = await contentOf(dir);
  if (entries.length > 0 && !force) throw new DrError({ kind: "refused", what: `the directory is not empty: it holds ${holds(entries)}`, where: dir, todo: "Name an empty directory with --into, or add --force to move what is there aside." });
}

/**
 * Makes `into` ready for a recovery. A folder that holds anything is refused; with `force` its content is moved into
 * a folder inside it (never deleted), but a folder in which a server runs is refused in any case.
 */
export async function prepareTarget(into: string, { force, label }: { readonly force: boolean; readonly label: string }): Promise<RecoveryTarget> {
  await mkdir(into, { recursive: true, mode: 0o700 });
  const dir = await realpath(into);
  await checkTarget(dir, force);
  const owner = await ownerOf(dir);
  const entries = await contentOf(dir);
  if (entries.length === 0) return { dir, owner, setAside: undefined };
  const setAside = await makeFolder(join(dir, `.replaced-${label}`), { owner });
  for (const name of entries) await rename(join(dir, name), join(setAside, name));
  return { dir, owner, setAside };
}

/** The recovery came to nothing: what it left goes, and what was there before is in its place again. */
export async function putBack({ dir, setAside }: RecoveryTarget): Promise<void> {
  if (setAside === undefined) return;
  for (const name of await readdir(dir)) if (!name.startsWith(".replaced-")) await rm(join(dir, name), { recursive: true, force: true });
  for (const name of await readdir(setAside)) await rename(join(setAside, name), join(dir, name));
  await rmdir(setAside);
}

/** Redis removes whatever has its socket's name: it would take the place of a server that runs, production's own too. */
export async function refuseTakenSocket(socket: string | undefined): Promise<void> {
  if (socket === undefined || !(await lstat(socket).then(() => true, () => false))) return;
  throw new DrError({ kind: "refused", what: "there is a socket or a file of this name already: the recovered server would take its place", where: socket, todo: "Name another with --socket; remove it if you know that nobody answers there." });
}

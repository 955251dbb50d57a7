/** Whether a database may be restored into a directory. What is refused here is what cannot be brought back. */
import { randomBytes } from "node:crypto";
import { readdir, readFile, readlink, realpath, rename, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { formatSize } from "../../plan/units.ts";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { makeFolder, removeTree } from "../system/files.ts";
import type { OsUser } from "../system/process.ts";
import { isAlive } from "../system/pid.ts";
import { databaseUser } from "../system/user.ts";

export interface Destination {
  /** Absolute, without symbolic links. */
  readonly directory: string;
  readonly state: "missing" | "empty" | "cluster" | "foreign";
}

/**
 * Looks at the directory that a recovery is to fill. Never into production's data, and never under a running server;
 * into another cluster or foreign files only where `force` says so.
 */
export async function checkDestination(context: RunContext, into: string, force: boolean): Promise<Destination> {
  if (!into.startsWith("/")) throw new DrError({ kind: "usage", what: `${into} is no absolute path`, where: "--into", todo: "Give the whole path of the directory to restore into." });
  const directory = await resolved(into);
  const production = context.config.postgres?.dataDirectory;
  if (production !== undefined && overlap(directory, await resolved(production))) {
    throw refused(`${into} is production's data directory, or lies in or around it`, into, "Restore into another directory; no option overrides this.");
  }
  const entries = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (entries === undefined) return { directory, state: "missing" };
  const foreign = entries.filter((name) => name !== "lost+found");
  if (foreign.length === 0) return { directory, state: "empty" };
  const pid = await runningServer(directory);
  if (pid !== undefined) throw refused(`a PostgreSQL server runs in ${into} (process ${pid})`, into, "Stop it first if its data may go, or restore into another directory; no option overrides this.");
  const isCluster = foreign.includes("PG_VERSION");
  if (!force) {
    throw isCluster
      ? refused(`${into} holds a PostgreSQL database`, into, "Restore into an empty directory; or say --force, and what is there is overwritten.")
      : refused(`${into} holds files that are no database: ${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ` and ${foreign.length - 3} more` : ""}`, into, "Restore into an empty directory; or say --force, and they are moved aside.");
  }
  return { directory, state: isCluster ? "cluster" : "foreign" };
}

const refused = (what: string, where: string, todo: string): DrError => new DrError({ kind: "refused", what, where, todo });

/** The path with its links followed as far as it exists. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT") || dirname(path) === path) throw error;
    return join(await resolved(dirname(path)), basename(path));
  }
}

const overlap = (a: string, b: string): boolean => a === b || a.startsWith(`${b}${sep}`) || b.startsWith(`${a}${sep}`);

/** The process that runs on the directory by its postmaster.pid; a file that a crash left does not count. */
export async function runningServer(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(text.split("\n")[0] ?? "", 10);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  // The number may belong to another program since a reboot: a postmaster works in its data directory.
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => directory);
  return cwd === directory ? pid : undefined;
}

/** Makes the directory, and refuses to begin what cannot fit: a full disk an hour later is worse. */
export async function prepareDestination(context: RunContext, { directory }: Destination, needed: number): Promise<void> {
  await makeFolder(directory, { owner: databaseUser(context.config.databaseUser) });
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new DrError({ kind: "unavailable", what: `the disk is too small: the database has ${formatSize(needed)}, and ${formatSize(free)} are free`, where: directory, todo: "Free space there, or restore onto a larger disk." });
}

/**
 * Makes the folder of the server's socket. Whoever enters it is trusted, so it must be the server's alone; a folder
 * that others use (/tmp, /run/postgresql) stays as it is.
 */
export async function prepareSocketFolder(path: string, owner: OsUser | undefined): Promise<string> {
  const entries = await readdir(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  if (entries.length === 0) return makeFolder(path, { owner });
  const { uid, mode } = await stat(path);
  if (uid === (owner?.uid ?? process.getuid?.()) && (mode & 0o077) === 0) return path;
  throw refused(`${path} is in use and others may enter it: whoever reaches the recovered server's socket is trusted`, "--socket-directory", "Name a folder that does not exist yet.");
}

/** Moves what is in the directory to a new one beside it, and says which. */
export async function moveAside({ directory }: Destination): Promise<string> {
  const aside = join(dirname(directory), `${basename(directory)}.before-${randomBytes(4).toString("hex")}`);
  try {
    await rename(directory, aside);
  } catch (cause) {
    throw new DrError({ kind: "refused", what: "what is in the directory cannot be moved aside", where: directory, todo: "Move it yourself (it may be a mount), or restore into another directory.", cause });
  }
  return aside;
}

/** Undoes it: the recovery came to nothing. */
export async function moveBack({ directory }: Destination, aside: string): Promise<void> {
  await removeTree(directory);
  await rename(aside, directory);
}

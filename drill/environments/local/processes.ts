import { readdir, readFile, readlink } from "node:fs/promises";
import { join, sep } from "node:path";
import { waitFor } from "../../../runner/system/wait.ts";

/**
 * Which processes belong to a folder, from /proc. PostgreSQL leaves the process group of Patroni, archivers detach
 * themselves, and PostgreSQL and Redis overwrite their environment with their title: so the working directory, the
 * arguments, the environment and the open files are all looked at.
 */
export interface FoundProcess {
  readonly pid: number;
  /** The arguments, or the kernel's name of the process. */
  readonly command: string;
}

/** Set in the environment of every child of a drill, so that a sweep finds those that left its folder. */
export const drillMarker = "DR_DRILL";

export interface Belonging {
  /** Processes that work in one of these folders, name it, or hold a file of it open. */
  readonly folders?: readonly string[];
  /** Processes that carry this drill's mark. */
  readonly drill?: string;
  /** Also look at open files, which is slower. Default: true. */
  readonly openFiles?: boolean;
}

const inside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);
/** A file that was deleted while open is shown so. */
const withoutDeleted = (path: string): string => path.replace(/ \(deleted\)$/, "");

/** `undefined` where the process ended meanwhile or belongs to somebody whose processes we may not look into. */
const readable = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);

function names(text: string, folder: string): boolean {
  for (let at = text.indexOf(folder); at >= 0; at = text.indexOf(folder, at + 1)) {
    const next = text[at + folder.length];
    if (next === undefined || !/[\w.-]/.test(next)) return true;
  }
  return false;
}

async function openPaths(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const numbers = (await readable(readdir(folder))) ?? [];
  const paths = await Promise.all(numbers.map((number) => readable(readlink(join(folder, number)))));
  return paths.filter((path) => path !== undefined);
}

/** Servers and jobs have no terminal: whoever has one looks at a drill's files, or stands in its folder. */
async function hasTerminal(pid: number): Promise<boolean> {
  const stat = (await readable(readFile(`/proc/${pid}/stat`, "utf8"))) ?? "";
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4] ?? 0) !== 0;
}

async function belongs(pid: number, { folders = [], drill, openFiles = true }: Belonging, command: string): Promise<boolean> {
  if (await hasTerminal(pid)) return false;
  const cwd = withoutDeleted((await readable(readlink(`/proc/${pid}/cwd`))) ?? "");
  if (folders.some((folder) => inside(cwd, folder) || names(command, folder))) return true;
  if (drill !== undefined) {
    const environment = (await readable(readFile(`/proc/${pid}/environ`, "utf8"))) ?? "";
    if (environment.split("\0").includes(`${drillMarker}=${drill}`)) return true;
  }
  if (!openFiles || folders.length === 0) return false;
  const paths = await openPaths(pid);
  return folders.some((folder) => paths.some((path) => inside(withoutDeleted(path), folder)));
}

/** This process and those that started it: they name the drill's folder without being of the drill. */
async function ancestry(): Promise<Set<number>> {
  const own = new Set<number>();
  let pid = process.pid;
  while (pid > 0 && !own.has(pid)) {
    own.add(pid);
    const status = (await readable(readFile(`/proc/${pid}/status`, "utf8"))) ?? "";
    pid = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return own;
}

async function commandOf(pid: number): Promise<string | undefined> {
  const [args, status] = await Promise.all([readable(readFile(`/proc/${pid}/cmdline`, "utf8")), readable(readFile(`/proc/${pid}/status`, "utf8"))]);
  if (status === undefined || /^State:\s*Z/m.test(status)) return undefined; // a zombie holds nothing but its number
  const text = (args ?? "").replaceAll("\0", " ").trim();
  return text === "" ? (/^Name:\s*(.*)$/m.exec(status)?.[1] ?? "") : text;
}

/** The processes that belong, without this one and its ancestors. */
export async function findProcesses(belonging: Belonging): Promise<FoundProcess[]> {
  const own = await ancestry();
  const pids = (await readdir("/proc")).map(Number).filter((pid) => Number.isInteger(pid) && !own.has(pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await commandOf(pid);
      return command !== undefined && (await belongs(pid, belonging, command)) ? { pid, command } : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** The processes that carry the mark of any drill, by its id. */
export async function findMarked(): Promise<Map<string, FoundProcess[]>> {
  const marked = new Map<string, FoundProcess[]>();
  const own = await ancestry();
  for (const pid of (await readdir("/proc")).map(Number).filter((number) => Number.isInteger(number) && !own.has(number))) {
    const environment = (await readable(readFile(`/proc/${pid}/environ`, "utf8"))) ?? "";
    const id = environment.split("\0").find((entry) => entry.startsWith(`${drillMarker}=`))?.slice(drillMarker.length + 1);
    const command = id === undefined ? undefined : await commandOf(pid);
    if (id !== undefined && command !== undefined) marked.set(id, [...(marked.get(id) ?? []), { pid, command }]);
  }
  return marked;
}

/** The postmaster of a data directory and its children, who go on for a moment when it dies; none where none runs. */
export async function processesOfPostgres(dataDirectory: string): Promise<number[]> {
  const pid = Number((await readable(readFile(join(dataDirectory, "postmaster.pid"), "utf8")))?.split("\n")[0] ?? 0);
  if (!(pid > 0) || (await readable(readlink(`/proc/${pid}/cwd`))) !== dataDirectory) return [];
  const children = (await readable(readFile(`/proc/${pid}/task/${pid}/children`, "utf8"))) ?? "";
  return [pid, ...children.split(" ").map(Number).filter((child) => child > 0)];
}

/** SIGKILL; a process that is gone already is no error. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Kills what belongs until nothing is left: a process that is killed may have started another one just before. */
export async function killProcesses(what: string, belonging: Belonging, within = 15): Promise<void> {
  await waitFor(
    `the end of all processes of ${what}`,
    async () => {
      const found = await findProcesses(belonging);
      for (const { pid } of found) killProcess(pid);
      return found.length === 0;
    },
    { within, every: 0.02 },
  );
}

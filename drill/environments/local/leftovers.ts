import { access, readdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { writeDurably } from "../../../runner/system/files.ts";
import { run } from "../../../runner/system/process.ts";
import { findProcesses, killProcesses, type FoundProcess } from "./processes.ts";

/** What of a drill is still on this machine. */
export interface Leftovers {
  readonly processes: readonly FoundProcess[];
  readonly directories: readonly string[];
  readonly mounts: readonly string[];
}

export const countLeftovers = ({ processes, directories, mounts }: Leftovers): number => processes.length + directories.length + mounts.length;
export const nameLeftovers = ({ processes, directories, mounts }: Leftovers): string[] => [
  ...processes.map(({ pid, command }) => `process ${pid}: ${command.slice(0, 160)}`),
  ...directories.map((path) => `directory ${path}`),
  ...mounts.map((path) => `mount ${path}`),
];

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Mount points at or below a folder, the deepest first. */
export async function mountsUnder(folder: string): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  const points = text.split("\n").flatMap((line) => {
    const point = line.split(" ")[4]?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return point === undefined ? [] : [point];
  });
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length);
}

/** Looks for a drill's processes, its directory and its mounts. Changes nothing. */
export async function findLeftovers(root: string, id: string): Promise<Leftovers> {
  const folder = resolve(root);
  const [processes, present, mounts] = await Promise.all([findProcesses({ folders: [folder], drill: id }), exists(folder), mountsUnder(folder)]);
  return { processes, directories: present ? [folder] : [], mounts };
}

/** Ends every process of a drill, unmounts and removes what it had, and tells what could not be removed. */
export async function removeDrill(root: string, id: string): Promise<Leftovers> {
  const folder = resolve(root);
  await killProcesses(`the drill ${id}`, { folders: [folder], drill: id });
  for (const point of await mountsUnder(folder)) await run("umount", [point], { deadline: 20, accept: [0, 1, 32] });
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return findLeftovers(folder, id);
}

const markSchema = z.object({ id: z.string(), root: z.string(), pid: z.int(), pidStartedAt: z.string(), createdAt: z.iso.datetime() });
/** `drill.json` in a drill's folder: whose it is, so that a sweep leaves a drill alone that still runs. */
export type DrillMark = z.infer<typeof markSchema>;
const markFile = "drill.json";

/** When a process began, in the kernel's ticks: a number that is used again has another one. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined); // no such process
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

export async function writeMark(root: string, id: string): Promise<void> {
  const mark: DrillMark = { id, root, pid: process.pid, pidStartedAt: (await startOf(process.pid)) ?? "", createdAt: new Date().toISOString() };
  await writeDurably(join(root, markFile), `${JSON.stringify(mark)}\n`);
}

/** What `drillName` makes, with the number of a scenario behind it. */
const drillFolder = /^dr-drill-\d{8}-[0-9a-f]{4}(-\d+)?$/;
/** A drill writes its mark at once; an older folder without one was left between the two, or by half of a teardown. In ms. */
const unmarkedAfter = 10_000;

/** The drills whose folders lie in `parent`: by their marks, or where a kill left none that can be read, by their names. */
export async function findDrills(parent: string): Promise<DrillMark[]> {
  const folders = await readdir(parent, { withFileTypes: true }).catch(() => []); // no such parent: no drills
  const marks = await Promise.all(folders.filter((entry) => entry.isDirectory()).map(({ name }) => markOf(parent, name)));
  return marks.filter((mark) => mark !== undefined);
}

async function markOf(parent: string, name: string): Promise<DrillMark | undefined> {
  const root = join(parent, name);
  const text = await readFile(join(root, markFile), "utf8").catch(() => ""); // not a drill's, or not any more
  const mark = markSchema.safeParse(parsed(text));
  if (mark.success) return { ...mark.data, root };
  const made = drillFolder.test(name) ? await stat(root).then(({ ctime }) => ctime, () => undefined) : undefined;
  if (made === undefined || Date.now() - made.getTime() < unmarkedAfter) return undefined;
  return { id: name, root, pid: 0, pidStartedAt: "", createdAt: made.toISOString() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut in half, or somebody else's file
  }
}

/** Whether the process that made the drill still runs. */
export async function isOwnerAlive({ pid, pidStartedAt }: DrillMark): Promise<boolean> {
  return (await startOf(pid)) === pidStartedAt;
}

/** Kills `dr` as the kernel does when memory is short: SIGKILL to its process group, at a moment of the caller's. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { secondsSince } from "../../runner/system/clock.ts";
import { run } from "../../runner/system/process.ts";
import type { House, Job } from "./job.ts";

const dr = resolve(import.meta.dirname, "..", "..", "cli", "dr.ts");
/** Seconds for a run that nobody kills. */
const deadline = 300;
/** Said of a run that had not reported anything yet: it is started, and opens what the configuration names. */
export const unsaid = "(nothing reported yet)";

export interface Ended {
  readonly killed: false;
  readonly code: number;
  readonly seconds: number;
  /** When it first reported something; its end, where it never did. */
  readonly firstReport: number;
  readonly said: string;
}

export interface Killed {
  readonly killed: true;
  /** The last that it reported. */
  readonly step: string;
  /** Its children, which lead process groups of their own and so were not killed with it. */
  readonly children: readonly Process[];
}

/** A process number is used again; with its start, in the kernel's ticks, it is nobody else. */
export interface Process {
  readonly pid: number;
  readonly start: string;
  readonly command: string;
}

/** Runs the job as a process of its own. After `killAfter` seconds it is killed, unless it has ended. */
export async function runJob(house: House, job: Job, killAfter?: number): Promise<Ended | Killed> {
  const kill = new AbortController();
  let step = unsaid;
  let firstReport: number | undefined;
  let children: readonly Process[] = [];
  const begun = performance.now();
  const timer =
    killAfter === undefined
      ? undefined
      : setTimeout(() => {
          children = descendantsOf(house.configFile);
          kill.abort(new Error("killed"));
        }, killAfter * 1_000);
  try {
    const { code, stderr } = await run(process.execPath, [dr, "--config", house.configFile, ...job.command], {
      deadline, signal: kill.signal, accept: [0, 1, 2, 3, 4, 5, 130],
      onLine: (line, stream) => {
        const said = stream === "stderr" ? stepIn(line) : undefined;
        if (said === undefined) return;
        step = said;
        firstReport ??= secondsSince(begun);
      },
    });
    return { killed: false, code, seconds: secondsSince(begun), firstReport: firstReport ?? secondsSince(begun), said: stderr };
  } catch (error) {
    if (!kill.signal.aborted) throw error;
    return { killed: true, step, children };
  } finally {
    clearTimeout(timer);
  }
}

/** The step of a line of progress (cli/render/progress.ts), without what differs from run to run: amounts and names. */
export function stepIn(line: string): string | undefined {
  const [, text] = /^\[ *[\d.]+ s\] (.+)$/.exec(line) ?? [];
  return text
    ?.replace(/^objects: [\d.,]+ to copy.*$/, "copy objects")
    .replace(/: [\d.,]+( .*)?$/, "")
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, "…")
    .replaceAll(/\b\d{8}T\d{9}Z-[\w-]+\b/g, "…")
    .replaceAll(/\b[0-9A-F]{24}\b/g, "…")
    .replaceAll(/\b20\d\d-W\d\d\b/g, "the week");
}

interface Entry extends Process {
  readonly parent: number;
}

/** What the `dr` that was given this configuration has started, directly or not. */
function descendantsOf(configFile: string): Process[] {
  const all = processes();
  const roots = all.filter(({ command, parent }) => parent === process.pid && command.includes(configFile)).map(({ pid }) => pid);
  const found: Process[] = [];
  for (let parents = new Set(roots); parents.size > 0; ) {
    const next = all.filter(({ parent }) => parents.has(parent));
    found.push(...next.map(({ pid, start, command }) => ({ pid, start, command })));
    parents = new Set(next.map(({ pid }) => pid));
  }
  return found;
}

/** Those that still run; one that has ended and that nobody has asked about yet does not. */
export const stillRunning = (children: readonly Process[]): Process[] => children.filter(({ pid, start }) => statOf(pid)?.start === start);

function processes(): Entry[] {
  return readdirSync("/proc").flatMap((name): Entry[] => {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    return stat === undefined ? [] : [{ pid, ...stat, command: contentOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }];
  });
}

function statOf(pid: number): { readonly parent: number; readonly start: string } | undefined {
  const stat = contentOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = ""] = fields;
  return stat === "" || state === "Z" || state === "X" ? undefined : { parent: Number(parent), start: fields[19] ?? "" };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone meanwhile
  }
}

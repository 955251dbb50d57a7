import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setPriority } from "node:os";
import { type Readable, type Writable } from "node:stream";
import { DrError, messageOf } from "../errors.ts";
import { secondsSince } from "./clock.ts";

/**
 * The only module that starts processes. Every child starts with a clean environment (nothing of ours leaks into
 * it), leads a process group of its own, has a deadline, and its whole group dies with it. Secrets never stand in
 * arguments or in the environment, so the arguments may be logged as they are.
 */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to the clean base environment. Never a secret. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user; only root may ask for another one than itself. */
  readonly user?: OsUser | undefined;
  /** Run in the network namespace that this process id holds; root only. */
  readonly networkNamespace?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Added to the priority's number, 0 to 19: the higher, the more it gives way to others. Default: as ours. */
  readonly nice?: number;
}

export interface RunOptions extends ChildOptions {
  /** Seconds after which the whole process group is killed. */
  readonly deadline: number;
  /** Text for the standard input, where a secret may stand. Default: empty. */
  readonly input?: string;
  /** Exit codes that are not an error. Default: 0 alone. */
  readonly accept?: readonly number[];
  /** Seconds in which it may end by itself when `signal` aborts: it is asked by SIGINT first. Default: killed at once. */
  readonly grace?: number;
  /** Called with each whole line of the two outputs as it comes. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface CommandEntry {
  readonly command: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly seconds: number;
}

type CommandLog = (entry: CommandEntry) => void;
const logs = new Set<CommandLog>();
/** Every command that ends is told to `log`, with its time. Returns the function that stops it. */
export function observeCommands(log: CommandLog): () => void {
  logs.add(log);
  return () => void logs.delete(log);
}

const outputLimit = 16 * 1024 ** 2;
const live = new Set<ChildProcess>();

function baseEnvironment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC", HOME: "/nonexistent" };
}

function start(command: string, args: readonly string[], options: ChildOptions, stdio: StdioOptions): ChildProcess {
  const inside = options.networkNamespace;
  const [file, rest] = inside === undefined ? [command, args] : ["nsenter", [`--net=/proc/${inside}/ns/net`, ...dropTo(options.user), "--", command, ...args]];
  const user = inside === undefined && options.user !== undefined && options.user.uid !== process.getuid?.() ? { uid: options.user.uid, gid: options.user.gid } : {};
  const child = spawn(file, rest, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...baseEnvironment(), ...options.env },
    detached: true,
    stdio,
    ...user,
  });
  live.add(child);
  if (options.nice !== undefined && child.pid !== undefined) setPriority(child.pid, options.nice);
  child.once("close", () => live.delete(child));
  return child;
}

/** nsenter enters as root and then gives its rights away itself. */
function dropTo(user: OsUser | undefined): string[] {
  return user === undefined ? [] : ["--setgid", String(user.gid), "--setuid", String(user.uid)];
}

/** Sends `signal` to the child's whole group; a group that is already gone is no error. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Kills every process group that this process started and that still runs: the last line of a teardown. */
export function killAllChildren(): void {
  for (const child of live) killGroup(child.pid);
}

/** The processes that this one started and that still run. */
export const liveChildren = (): readonly number[] => [...live].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));

function missingProgram(command: string, cause: unknown): DrError {
  return new DrError({
    kind: "unavailable",
    what: `the program ${command} is not on this machine`,
    where: `PATH=${process.env["PATH"] ?? ""}`,
    todo: "Install it: `npm run setup` installs everything that the project uses (as root or with sudo).",
    cause,
  });
}

function describe(command: string, args: readonly string[]): string {
  return [command, ...args].join(" ");
}

interface Ended {
  readonly code: number;
  readonly seconds: number;
}

/** Resolves when the child has ended and its outputs are closed; a signal counts as 128 + 9. */
function ended(child: ChildProcess, command: string, args: readonly string[], begun: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? missingProgram(command, error) : error));
    child.once("close", (code) => {
      const result = { code: code ?? 137, seconds: secondsSince(begun) };
      for (const log of logs) log({ command, args, ...result });
      resolve(result);
    });
  });
}

function guard(child: ChildProcess, { deadline, signal, grace = 0 }: Pick<RunOptions, "deadline" | "grace" | "signal">): { expired: () => boolean; release: () => void } {
  let expired = false;
  let last: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    expired = true;
    killGroup(child.pid);
  }, deadline * 1_000);
  const abort = () => {
    killGroup(child.pid, grace > 0 ? "SIGINT" : "SIGKILL");
    if (grace > 0) last = setTimeout(() => killGroup(child.pid), grace * 1_000);
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  return {
    expired: () => expired,
    release: () => {
      clearTimeout(timer);
      clearTimeout(last);
      signal?.removeEventListener("abort", abort);
    },
  };
}

function failure(command: string, args: readonly string[], code: number, output: string, deadline?: number): DrError {
  const tail = output.trim().split("\n").slice(-6).join("\n");
  return new DrError({
    kind: "failed",
    what: deadline === undefined ? `${command} ended with exit code ${code}${tail === "" ? "" : `: ${tail}`}` : `${command} did not end within ${deadline} s and was killed${tail === "" ? "" : `: ${tail}`}`,
    where: describe(command, args),
    todo: "Read its message above; run the same command by hand to see more.",
  });
}

function collect(stream: Readable | null, onLine?: (line: string) => void): () => string {
  let text = "";
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    if (text.length < outputLimit) text += chunk;
    if (onLine === undefined) return;
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  return () => {
    if (rest !== "" && onLine !== undefined) onLine(rest);
    return text;
  };
}

/** Runs a command to its end. Throws a `DrError` where it is missing, fails, or outlives its deadline. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const begun = performance.now();
  const child = start(command, args, options, ["pipe", "pipe", "pipe"]);
  const guarded = guard(child, options);
  const { onLine } = options;
  const stdout = collect(child.stdout, onLine === undefined ? undefined : (line) => onLine(line, "stdout"));
  const stderr = collect(child.stderr, onLine === undefined ? undefined : (line) => onLine(line, "stderr"));
  child.stdin?.on("error", () => undefined); // a child that does not read its input is judged by its exit code
  child.stdin?.end(options.input ?? "");
  try {
    const { code, seconds } = await ended(child, command, args, begun);
    options.signal?.throwIfAborted();
    const result = { code, stdout: stdout(), stderr: stderr(), seconds };
    if (guarded.expired()) throw failure(command, args, code, result.stderr, options.deadline);
    if (!(options.accept ?? [0]).includes(code)) throw failure(command, args, code, result.stderr.trim() === "" ? result.stdout : result.stderr);
    return result;
  } finally {
    guarded.release();
  }
}

export interface StreamingCommand {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the command ended well; rejects with its message where it did not. */
  readonly done: Promise<{ readonly seconds: number }>;
  kill(): void;
}

/**
 * Runs a command whose output is data: the caller reads `stdout` with back-pressure, then awaits `done`. Whoever
 * uses what came out before `done` resolved must throw it away when `done` rejects.
 */
export function stream(command: string, args: readonly string[], options: Omit<RunOptions, "input" | "onLine">): StreamingCommand {
  const begun = performance.now();
  const child = start(command, args, options, ["pipe", "pipe", "pipe"]);
  const guarded = guard(child, options);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError("a piped child has pipes");
  stdin.on("error", () => undefined);
  const stderr = collect(child.stderr);
  const done = ended(child, command, args, begun).then(({ code, seconds }) => {
    guarded.release();
    options.signal?.throwIfAborted();
    if (guarded.expired()) throw failure(command, args, code, stderr(), options.deadline);
    if (!(options.accept ?? [0]).includes(code)) throw failure(command, args, code, stderr());
    return { seconds };
  });
  done.catch((error: unknown) => stdout.destroy(error instanceof Error ? error : new Error(messageOf(error))));
  return { stdin, stdout, done, kill: () => killGroup(child.pid) };
}

export interface ServerOptions extends ChildOptions {
  /** Both outputs are appended to this file. */
  readonly logFile: string;
}

/** A server that was started and has not been stopped yet. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  running(): boolean;
  /** SIGKILL to the whole process group, at once, as a lost machine would end. */
  kill(): Promise<void>;
  /** Asks by `signal` (default SIGTERM), and kills the group after `within` seconds (default 10). */
  stop(options?: { signal?: NodeJS.Signals; within?: number }): Promise<void>;
}

/** Starts a long-running server. That it answers is for the caller to wait for. */
export async function startServer(name: string, command: string, args: readonly string[], options: ServerOptions): Promise<Server> {
  const log = openSync(options.logFile, "a", 0o640);
  let child: ChildProcess;
  try {
    child = start(command, args, options, ["ignore", log, log]);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? missingProgram(command, error) : error));
    });
  } finally {
    closeSync(log);
  }
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const running = () => child.exitCode === null && child.signalCode === null;
  const kill = async () => {
    killGroup(child.pid);
    await exit;
  };
  return {
    name,
    pid: child.pid ?? 0,
    logFile: options.logFile,
    running,
    kill,
    stop: async ({ signal = "SIGTERM", within = 10 } = {}) => {
      if (!running()) return kill();
      child.kill(signal);
      const timer = setTimeout(() => killGroup(child.pid), within * 1_000);
      await exit;
      clearTimeout(timer);
      killGroup(child.pid); // what the server left in its group
    },
  };
}


import { appendFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { toStorageError } from "../../storage/faults.ts";
import { secondsSince } from "../../system/clock.ts";
import { readLines, type LogLine } from "./lines.ts";
import { shippedTo } from "./shipped.ts";

export interface LogsRecoveryOptions {
  /** Lines written from then on, and before `to`. */
  readonly from: Date;
  readonly to: Date;
  /** Empty or absent; a file for each container, or for each file that was followed. */
  readonly into: string;
}

export interface LogsRecovery {
  readonly into: string;
  readonly from: string;
  readonly lines: number;
  readonly files: number;
  /** Of the objects that were read, as stored. */
  readonly bytes: number;
  /** Objects of this backend that nobody can read. */
  readonly damaged: readonly string[];
  /** Backends that were tried before, each with why it was not enough. */
  readonly rejected: readonly { readonly backend: string; readonly error: string }[];
  readonly seconds: number;
}

/** Lines arrive so much later at the most, where a backend was away; in ms. */
const lateness = 24 * 3_600 * 1_000;
const mostNamed = 10;

/**
 * Brings lines back from the first backend that gives all of its objects whole; where none does, from the one that gives
 * most. Lines of a file stand in the order in which they were shipped, each with its time in front; what a shipper sent
 * twice, after it was killed, stands twice.
 */
export async function recoverLogs(context: RunContext, options: LogsRecoveryOptions): Promise<LogsRecovery> {
  const begun = performance.now();
  if (options.from >= options.to) throw new DrError({ kind: "usage", what: "the time that is asked for ends before it begins", where: `${options.from.toISOString()} to ${options.to.toISOString()}`, todo: "Name an earlier --from or a later --to." });
  await refuseFull(options.into);
  const work = join(dirname(options.into), `.logs-${process.pid}`);
  const rejected: { backend: string; error: string }[] = [];
  let best: (Attempt & { readonly folder: string }) | undefined;
  try {
    for (const [i, backend] of context.backends.entries()) {
      const folder = join(work, String(i));
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const attempt = await recoverFrom(context, backend, options, folder);
        if (best === undefined || attempt.lines > best.lines || (attempt.lines === best.lines && attempt.damaged.length < best.damaged.length)) best = { ...attempt, folder };
        if (attempt.damaged.length === 0 && attempt.lines > 0) break;
        rejected.push({ backend: backend.name, error: attempt.damaged.length === 0 ? "it has no lines of that time" : `${attempt.damaged.length} objects cannot be read` });
      } catch (error) {
        context.signal.throwIfAborted();
        if (error instanceof LocalFault) throw error.fault;
        rejected.push({ backend: backend.name, error: messageOf(error) });
      }
    }
    if (best === undefined || best.lines === 0) throw new DrError({ kind: "failed", what: `there are no logs of that time: ${rejected.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: `${options.from.toISOString()} to ${options.to.toISOString()}`, todo: "Name another time; logs are kept for as long as the plan says." });
    const { folder, backend, ...found } = best;
    await rm(options.into, { recursive: true, force: true }); // it is empty
    await rename(folder, options.into);
    return { into: options.into, from: backend, ...found, damaged: found.damaged.slice(0, mostNamed), rejected: rejected.filter((one) => one.backend !== backend), seconds: secondsSince(begun) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function refuseFull(into: string): Promise<void> {
  const names = await readdir(into).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw toStorageError(error, into);
  });
  if (names.length > 0) throw new DrError({ kind: "refused", what: "the folder is not empty", where: into, todo: "Name an empty or a new one with --into." });
  await mkdir(dirname(into), { recursive: true });
}

interface Attempt {
  readonly backend: string;
  readonly lines: number;
  readonly files: number;
  readonly bytes: number;
  readonly damaged: readonly string[];
}

/** A disk of ours that is full is no fault of a backend. */
class LocalFault extends Error {
  readonly fault: DrError;
  constructor(fault: DrError) {
    super(fault.message);
    this.fault = fault;
  }
}

async function recoverFrom(context: RunContext, backend: StorageBackend, { from, to }: LogsRecoveryOptions, folder: string): Promise<Attempt> {
  const { signal } = context;
  const files = new Set<string>();
  const damaged: string[] = [];
  let [lines, bytes] = [0, 0];
  for await (const object of shippedTo(backend, from, new Date(to.getTime() + lateness))) {
    signal.throwIfAborted();
    const body = await backend.read(object.key, signal);
    bytes += body.length;
    const found = await readLines(body, backend.uri(object.key)).catch((error: unknown) => messageOf(error));
    if (typeof found === "string") {
      damaged.push(found);
      continue;
    }
    const wanted = found.filter(({ time }) => time >= from.getTime() && time < to.getTime());
    lines += wanted.length;
    for (const [source, its] of bySource(wanted)) {
      files.add(source);
      await append(join(folder, source), its);
    }
    context.report({ step: `logs from ${backend.name}: ${lines} lines`, done: bytes, unit: "bytes" });
  }
  return { backend: backend.name, lines, files: files.size, bytes, damaged };
}

function bySource(lines: readonly LogLine[]): ReadonlyMap<string, LogLine[]> {
  const found = new Map<string, LogLine[]>();
  for (const line of lines) {
    const its = found.get(line.source);
    if (its === undefined) found.set(line.source, [line]);
    else its.push(line);
  }
  return found;
}

async function append(path: string, lines: readonly LogLine[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, lines.map(({ time, text }) => `${new Date(time).toISOString()} ${text}\n`).join(""), { mode: 0o600 });
  } catch (error) {
    throw new LocalFault(toStorageError(error, path));
  }
}

import { createHash } from "node:crypto";
import { z } from "zod";
import { scheduleOf } from "../../../plan/find.ts";
import { intervalOf } from "../../../plan/schedule.ts";
import { formatDuration } from "../../../plan/units.ts";
import { expiryOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { secondsSince } from "../../system/clock.ts";
import { readLines } from "./lines.ts";
import { manifestKey, readManifest, writeManifest, type ManifestEntry } from "./manifest.ts";
import { margin, shippedTo, type Shipped } from "./shipped.ts";

export const store = "logs";
export const kind = "ship";
const schedule = "logs-ship";

export interface LogsBackup {
  readonly record: BackupRecord;
  readonly outcome: "ok" | "partial";
}

/** What one backend has got since the last look. */
export interface Arrived {
  readonly objects: number;
  /** As stored, i.e. compressed. */
  readonly bytes: number;
  readonly lines: number;
  /** Of the newest line that ever came here; absent where none did. ISO 8601. */
  readonly newest?: string;
  /** Of each node that ever shipped here. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Nodes that shipped before and did not since the last look. */
  readonly silent: readonly string[];
  /** Objects that nobody can read, the first few. */
  readonly damaged: readonly string[];
  /** When it was last looked at. ISO 8601. */
  readonly through: string;
}

const arrivedSchema = z.object({ newest: z.iso.datetime().optional(), nodes: z.record(z.string(), z.string()), through: z.iso.datetime() });
const detailsSchema = z.object({ arrived: z.record(z.string(), arrivedSchema) });
type Before = z.infer<typeof arrivedSchema>;

const mostNamed = 10;

/**
 * Looks what the nodes' shippers have brought to each backend since the last look, reads every line of it, and records
 * how far each backend reaches. A shipper that only says that it ships is seen by it: a backend whose newest line is
 * older than the schedule's interval has a failed copy.
 * @throws DrError where no backend has got anything
 */
export async function recordShippedLogs(context: RunContext): Promise<LogsBackup> {
  refuseReadOnly(context, "record logs");
  const attempt: Attempt = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt: context.clock.now() };
  try {
    return await look(context, attempt);
  } catch (error) {
    if (!(error instanceof RecordedError)) await recordFailure(context, attempt, error);
    throw error;
  }
}

type Attempt = Parameters<typeof recordFailure>[1];

/** A failure whose record is written already. */
class RecordedError extends DrError {}

async function look(context: RunContext, attempt: Attempt): Promise<LogsBackup> {
  context.report({ step: "see what was looked at before" });
  const before = await lastLook(context);
  const seen = await seenBefore(context, before);
  const manifest: ManifestEntry[] = [];
  const arrived: Record<string, Arrived> = {};
  const copies: CopyResult[] = [];
  for (const backend of context.backends) {
    const begun = performance.now();
    try {
      const found = await arrivedIn(context, { backend, before: before[backend.name], seen: seen.get(backend.name) ?? new Set(), now: attempt.startedAt, manifest });
      arrived[backend.name] = found;
      copies.push(judge(context, attempt, backend, found, secondsSince(begun)));
    } catch (error) {
      context.signal.throwIfAborted();
      const kept = before[backend.name];
      // The next look begins where the last good one ended.
      if (kept !== undefined) arrived[backend.name] = { objects: 0, bytes: 0, lines: 0, silent: [], damaged: [], through: kept.through, nodes: kept.nodes, ...(kept.newest === undefined ? {} : { newest: kept.newest }) };
      copies.push({ backend: backend.name, status: "failed", error: messageOf(error) });
    }
  }
  const record = await fileRecord(context, attempt, copies, arrived, manifest);
  if (outcomeOf(record) === "failed") throw new RecordedError({ kind: "failed", what: `no backend has got logs: ${copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: record.id, todo: "Look at the shippers on the nodes: whether they run, and what they say." });
  return { record, outcome: outcomeOf(record) === "ok" ? "ok" : "partial" };
}

async function lastLook({ catalog }: RunContext): Promise<Readonly<Record<string, Before>>> {
  const { records } = await catalog.list({ store, kind });
  for (const { details } of records.toReversed()) {
    const found = detailsSchema.safeParse(details);
    if (found.success) return found.data.arrived;
  }
  return {};
}

/**
 * The keys that are counted already, by backend. No clock decides what is new: a store's or a shipper's may be beside
 * ours, so the looks overlap, and the manifests of the ones before say what was seen.
 */
async function seenBefore(context: RunContext, before: Readonly<Record<string, Before>>): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const seen = new Map<string, Set<string>>();
  const last = Object.values(before).map(({ through }) => Date.parse(through));
  if (last.length === 0) return seen;
  const { records } = await context.catalog.list({ store, kind, since: new Date(Math.min(...last) - 2 * margin) });
  for (const record of records.filter(({ objects }) => objects.length > 0)) {
    for (const { backend, key } of await anyManifest(context, record)) {
      if (!seen.has(backend)) seen.set(backend, new Set());
      seen.get(backend)?.add(key);
    }
  }
  return seen;
}

async function anyManifest(context: RunContext, { id, objects: [object] }: BackupRecord): Promise<readonly ManifestEntry[]> {
  for (const backend of object === undefined ? [] : context.backends) {
    try {
      if (object !== undefined) return await readManifest(context, backend, object);
    } catch (error) {
      context.signal.throwIfAborted();
      context.report({ step: `the manifest of ${id} in ${backend.name} cannot be read: ${messageOf(error)}` });
    }
  }
  return []; // then some of it is counted twice, and nothing is missed
}

interface Look {
  readonly backend: StorageBackend;
  readonly before: Before | undefined;
  readonly seen: ReadonlySet<string>;
  readonly now: Date;
  readonly manifest: ManifestEntry[];
}

async function arrivedIn(context: RunContext, { backend, before, seen, now, manifest }: Look): Promise<Arrived> {
  const { signal } = context;
  const first = new Date(now.getTime() - lookBack(context.plan));
  const sum = { objects: 0, bytes: 0, lines: 0 };
  const nodes = new Map(Object.entries(before?.nodes ?? {}));
  const heard = new Set<string>();
  const damaged: string[] = [];
  for await (const object of shippedTo(backend, before === undefined ? first : new Date(before.through), now)) {
    signal.throwIfAborted();
    if (seen.has(object.key)) continue;
    const found = await readObject(backend, object, signal);
    heard.add(object.node);
    sum.objects += 1;
    sum.bytes += object.bytes;
    context.report({ step: `logs in ${backend.name}`, done: sum.bytes, unit: "bytes" });
    if (typeof found === "string") {
      if (damaged.length < mostNamed) damaged.push(found);
      continue;
    }
    sum.lines += found.entry.lines;
    manifest.push(found.entry);
    if (found.newest !== undefined) nodes.set(object.node, later(nodes.get(object.node), found.newest));
  }
  const newest = [...nodes.values()].toSorted().at(-1);
  return { ...sum, nodes: Object.fromEntries(nodes), silent: [...nodes.keys()].filter((node) => !heard.has(node)), damaged, through: now.toISOString(), ...(newest === undefined ? {} : { newest }) };
}

/** The first look of all goes back as far as logs are kept. In ms. */
const lookBack = (plan: RunContext["plan"]): number => {
  const retention = scheduleOf(plan, schedule)?.retention;
  return (typeof retention === "number" ? retention : 0) * 1_000;
};

const later = (a: string | undefined, b: string): string => (a === undefined || a < b ? b : a);

async function readObject(backend: StorageBackend, { key }: Shipped, signal: AbortSignal): Promise<{ readonly entry: ManifestEntry; readonly newest: string | undefined } | string> {
  const body = await backend.read(key, signal);
  try {
    const lines = await readLines(body, backend.uri(key));
    const newest = lines.reduce((time, line) => Math.max(time, line.time), 0);
    return { entry: { backend: backend.name, key, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex"), lines: lines.length }, newest: newest === 0 ? undefined : new Date(newest).toISOString() };
  } catch (error) {
    return messageOf(error);
  }
}

function judge({ plan }: RunContext, { startedAt }: Attempt, backend: StorageBackend, found: Arrived, seconds: number): CopyResult {
  const bad = (error: string): CopyResult => ({ backend: backend.name, status: "failed", error });
  if (found.newest === undefined) return bad("no line of a log has ever arrived here");
  if (found.damaged.length > 0) return bad(`${found.damaged.length} objects cannot be read: ${found.damaged.slice(0, 3).join("; ")}`);
  const age = (startedAt.getTime() - Date.parse(found.newest)) / 1_000;
  const most = intervalOf(scheduleOf(plan, schedule) ?? missingSchedule());
  if (age > most) return bad(`the newest line is ${formatDuration(age)} old, and lines are to arrive within ${formatDuration(most)}`);
  return { backend: backend.name, status: "ok", uri: backend.uri("logs/lines/"), bytes: found.bytes, watermark: { time: found.newest }, seconds };
}

function missingSchedule(): never {
  throw new DrError({ kind: "usage", what: `the plan has no schedule ${schedule}`, where: "plan.schedules", todo: "Add it." });
}

async function fileRecord(context: RunContext, attempt: Attempt, copies: readonly CopyResult[], arrived: Readonly<Record<string, Arrived>>, manifest: readonly ManifestEntry[]): Promise<BackupRecord> {
  const written = await writeManifest(context, attempt.id, manifest);
  const untaken = new Map(written.copies.flatMap((copy) => (copy.status === "failed" ? [[copy.backend, copy.error] as const] : [])));
  const judged = copies.map((copy): CopyResult => (copy.status === "ok" && untaken.has(copy.backend) ? { backend: copy.backend, status: "failed", error: `the manifest was not taken: ${untaken.get(copy.backend) ?? ""}` } : copy));
  const newest = judged.flatMap((copy) => (copy.status === "ok" && copy.watermark !== undefined ? [copy.watermark.time] : [])).sort().at(-1);
  const record: BackupRecord = {
    version: recordVersion, id: attempt.id, store, kind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: newest ?? attempt.startedAt.toISOString() },
    sourceBytes: Math.max(0, ...Object.values(arrived).map(({ bytes }) => bytes)),
    objects: [{ key: manifestKey(attempt.id), bytes: written.bytes, sha256: written.sha256 }],
    encryption: "openpgp", // of the manifest; the lines are the shippers', which the backends encrypt at rest
    copies: judged,
    tools: {},
    expiresAt: expiryOf(context.plan, schedule, attempt.startedAt),
    details: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify({ arrived }))),
  };
  await context.catalog.write(record);
  return record;
}

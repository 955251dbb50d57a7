import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { HttpError } from "../../system/http.ts";
import { writeDurably } from "../../system/files.ts";
import { openPrometheus } from "./connection.ts";
import type { MetricsConfig } from "./config.ts";

/** Seconds for Prometheus to write its head block out: it reads every series in memory. */
const snapshotDeadline = 300;
/** A run that is still at work is told from one that was killed by its schedule's deadline; this is for their clocks. */
const clockMargin = 60;

const answer = z.object({ status: z.literal("success"), data: z.object({ name: z.string().regex(/^[0-9A-Za-z-]+$/) }) });
/** `20261123T032512Z-3c1a…`: when it was taken, by Prometheus' clock. */
const nameForm = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/;

/** What a run leaves beside the snapshots before it asks for one, and removes with it: how the next run knows what a
 * killed one left. */
const journal = z.strictObject({
  startedAt: z.iso.datetime(),
  /** Until then the run may be at work. */
  endsBy: z.iso.datetime(),
  /** Snapshots that were there already, which are not ours. */
  before: z.array(z.string()),
  /** Known once Prometheus has answered. */
  name: z.string().optional(),
});
type Journal = z.infer<typeof journal>;

export interface Snapshot {
  readonly name: string;
  /** Of the folder with the blocks. */
  readonly path: string;
  remove(): Promise<void>;
}

const folderOf = ({ dataDirectory }: MetricsConfig): string => join(dataDirectory, "snapshots");
const journalName = (id: string): string => `.dr-${id}.json`;
const isJournal = (name: string): boolean => name.startsWith(".dr-") && name.endsWith(".json");

/** What is in Prometheus' folder of snapshots; nothing where it never made one. */
async function entriesOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
}

/**
 * Has Prometheus take a snapshot. It is a folder of hard links, and costs a disk what is compacted away meanwhile, so it
 * is removed when it has been read.
 * @throws DrError where the interface is switched off, or the folder is not seen here
 */
export async function takeSnapshot(context: RunContext, config: MetricsConfig, id: string, times: { readonly startedAt: Date; readonly deadline: number }, signal: AbortSignal): Promise<Snapshot> {
  const folder = folderOf(config);
  await mustSeeData(config);
  const before = (await entriesOf(folder)).filter((name) => !isJournal(name));
  // The first snapshot of all makes the folder, so until then the note is beside it.
  const note = join(config.dataDirectory, journalName(id));
  const write = (more: { readonly name?: string }): Promise<void> =>
    writeDurably(note, JSON.stringify({ startedAt: times.startedAt.toISOString(), endsBy: new Date(times.startedAt.getTime() + times.deadline * 1_000).toISOString(), before, ...more }), { mode: 0o600 });
  await write({}).catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `nothing can be written into Prometheus' data directory, so its snapshot could not be removed either: ${messageOf(cause)}`, where: config.dataDirectory, todo: "Mount it writable, for the user that runs dr.", cause });
  });
  const server = await openPrometheus(config);
  try {
    const { data: { name } } = await server.json(answer, { method: "POST", path: "/api/v1/admin/tsdb/snapshot", deadline: snapshotDeadline, signal }).catch((error: unknown) => {
      throw explained(error);
    });
    await write({ name });
    const path = join(folder, name);
    const remove = async (): Promise<void> => {
      await rm(path, { recursive: true, force: true });
      await rm(note, { force: true });
    };
    await mustBeHere(path);
    return { name, path, remove };
  } catch (error) {
    // Whether it was made, the note tells the next run; one that was refused made none.
    if (error instanceof HttpError && error.status !== undefined) await rm(note, { force: true });
    throw error;
  } finally {
    await server.close();
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  // Without the flag it says: {"status":"error","errorType":"unavailable","error":"admin APIs disabled"}
  if (!error.message.includes("admin APIs disabled")) return error;
  return new HttpError({ kind: "unavailable", what: "Prometheus' interface for snapshots is switched off", where: error.where, todo: "Start it with --web.enable-admin-api (the operator's `enableAdminAPI: true`), and let nobody but the jobs reach it.", cause: error }, error.status === undefined ? {} : { status: error.status });
}

async function mustSeeData({ dataDirectory }: MetricsConfig): Promise<void> {
  const found = await stat(dataDirectory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new DrError({ kind: "unavailable", what: "Prometheus' data directory is not here", where: dataDirectory, todo: "Mount the volume of the Prometheus that `metrics.url` names there." });
}

async function mustBeHere(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new DrError({ kind: "failed", what: "Prometheus took a snapshot, and it is not in the data directory that this run sees", where: path, todo: "Let `metrics.dataDirectory` be the volume of the very Prometheus that answers at `metrics.url`; of several replicas each has its own." });
}

/** Removes what runs that were killed have left; what a person made stays. Says what it removed. */
export async function sweepSnapshots(context: RunContext, config: MetricsConfig): Promise<readonly string[]> {
  const folder = folderOf(config);
  const removed: string[] = [];
  for (const note of (await entriesOf(config.dataDirectory)).filter(isJournal)) {
    const path = join(config.dataDirectory, note);
    const left = await readJournal(path);
    if (left === undefined || Date.parse(left.endsBy) + clockMargin * 1_000 > context.clock.now().getTime()) continue;
    for (const name of leftBy(left, await entriesOf(folder))) {
      context.report({ step: `remove the snapshot ${name}, which a killed run has left` });
      await rm(join(folder, name), { recursive: true, force: true });
      removed.push(name);
    }
    await rm(path, { force: true });
  }
  return removed;
}

async function readJournal(path: string): Promise<Journal | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text === "") return undefined; // another run has removed it meanwhile
  return journal.parse(JSON.parse(text));
}

/**
 * A run that was killed before Prometheus answered does not know the name. It asked at once, so the first that is taken
 * from then on is its own; a later one may be somebody else's.
 */
function leftBy({ startedAt, before, name }: Journal, entries: readonly string[]): readonly string[] {
  if (name !== undefined) return entries.filter((entry) => entry === name);
  const from = Date.parse(startedAt);
  const taken = (entry: string): number => {
    const [, year, month, day, hour, minute, second] = nameForm.exec(entry) ?? [];
    return year === undefined ? Number.NaN : Date.parse(`${year}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`);
  };
  const asked = (entry: string): boolean => !before.includes(entry) && taken(entry) >= from - clockMargin * 1_000 && taken(entry) <= from + (snapshotDeadline + clockMargin) * 1_000;
  return entries.filter(asked).sort().slice(0, 1);
}

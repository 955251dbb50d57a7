import type { ScheduleName } from "../../../plan/types.ts";
import { deadlineOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult, type StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { placementOf } from "../../placement.ts";
import { completeObject } from "../../storage/complete.ts";
import { kind, previousOf, store, type Previous } from "./chain.ts";
import { BlockTable, manifestKey, manifestName, type Manifest } from "./manifest.ts";
import { PackWriter } from "./pack.ts";
import { openProvider, type Exported, type VectorProvider } from "./provider.ts";

export interface VectorsBackupOptions {
  /** Do nothing, and say so, where the store is empty: another region's standby waits for snapshots like that. */
  readonly leaderOnly?: boolean;
  /** Take a backup without vectors for good although the one before it had some. */
  readonly allowEmpty?: boolean;
  /** Build upon no older backup. Default: build upon the newest while its chain is short enough. */
  readonly full?: boolean;
  /** Whose retention and deadline it gets. Default: `vectors-snapshot`. */
  readonly schedule?: ScheduleName;
}

export type VectorsBackup =
  | { readonly done: true; readonly record: BackupRecord; readonly outcome: "ok" | "partial" }
  | { readonly done: false; readonly why: string };

/** A failure whose record is written already. */
class RecordedError extends DrError {}

/**
 * Backs up the vector store into every backend at once. What an older backup of the chain stored is not stored again but
 * named: the record lists all its objects, whoever wrote them (`needs` in runner/catalog/needs.ts). Throws a `DrError`
 * where no copy stands; what was stored by then is removed, and a record says that it failed.
 */
export async function backUpVectors(context: RunContext, options: VectorsBackupOptions = {}): Promise<VectorsBackup> {
  refuseReadOnly(context, "back up the vector store");
  const { schedule = "vectors-snapshot" } = options;
  const attempt = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt: context.clock.now() };
  let provider: VectorProvider | undefined;
  let writer: PackWriter | undefined;
  try {
    provider = await openProvider(context);
    if (options.leaderOnly === true && (await provider.count()) === 0) return { done: false, why: `the vector store ${provider.where} is empty: a standby, or not yet used` };
    const { backends, expiresAt } = await placementOf(context, attempt);
    writer = new PackWriter({ ...context, backends }, attempt.id);
    return await file(context, await make(context, provider, writer, { ...attempt, expiresAt }, options), options);
  } catch (error) {
    if (error instanceof RecordedError) throw error;
    await writer?.abandon(error);
    await recordFailure(context, attempt, error);
    throw error;
  } finally {
    await provider?.close();
  }
}

type Attempt = Parameters<typeof recordFailure>[1] & { readonly expiresAt: string | null };

async function make(context: RunContext, provider: VectorProvider, writer: PackWriter, attempt: Attempt, { full = false }: VectorsBackupOptions): Promise<BackupRecord> {
  const { expiresAt, id, startedAt, schedule } = attempt;
  const begun = performance.now();
  context.report({ step: "choose the backup that this one builds upon" });
  const previous = full ? undefined : await previousOf(context, provider.kind);
  const blocks = new BlockTable();
  const exported = await provider.export({ context, id, startedAt, deadline: deadlineOf(context.plan, schedule), writer, blocks, previous });
  await writer.flush();
  const manifest = manifestOf(exported, attempt, blocks, writer.objects, previous);
  const own = new Set(writer.objects.map(({ key }) => key));
  const reused = manifest.objects.filter(({ key }) => !own.has(key));
  await completeReused(context, writer, reused);
  const described = await writer.put(manifestName, Buffer.from(JSON.stringify(manifest)));
  return {
    version: recordVersion, id, store, kind,
    startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: exported.watermark.toISOString() },
    sourceBytes: exported.sourceBytes,
    objects: [described, ...writer.objects.filter(({ key }) => key !== described.key), ...reused],
    encryption: "openpgp",
    copies: writer.copies(manifestKey(id)),
    tools: { ...exported.tools },
    expiresAt,
    details: { ...exported.details, provider: provider.kind, points: exported.points, base: manifest.base, storedBytes: writer.bytes, reusedObjects: reused.length, seconds: (performance.now() - begun) / 1_000 },
  };
}

function manifestOf({ content, watermark }: Exported, { id, startedAt }: Attempt, blocks: BlockTable, own: readonly StoredObject[], previous: Previous | undefined): Manifest {
  const tables = blocks.toManifest(own, previous?.manifest.objects ?? []);
  // Where nothing of the older one is used, this is a full backup whatever it was meant to be.
  const isOwn = new Set(own.map(({ key }) => key));
  const builds = previous !== undefined && tables.objects.some(({ key }) => !isOwn.has(key));
  const { base, baseAt } = builds ? previous.manifest : { base: id, baseAt: startedAt.toISOString() };
  return { version: 1, id, base, baseAt, watermark: watermark.toISOString(), ...tables, content };
}

/** Objects looked at, at once. */
const looksAtOnce = 8;

/** What is used again must stand in every backend; one that was down when it was written is given it now. */
async function completeReused(context: RunContext, writer: PackWriter, objects: readonly StoredObject[]): Promise<void> {
  const queue = [...objects];
  const worker = async () => {
    for (let object = queue.pop(); object !== undefined; object = queue.pop()) {
      const { errors, found } = await completeObject(context.backends, object, context.signal);
      if (!found) throw new DrError({ kind: "failed", what: "an object that this backup builds upon is in no backend any more", where: object.key, todo: "Make a full backup: `dr backup vectors snapshot --full`." });
      for (const [backend, error] of errors) writer.lacks(backend, error);
    }
  };
  await Promise.all(Array.from({ length: looksAtOnce }, worker));
}

/** Writes the record. A backup that is suddenly empty is kept but counts as failed, so that nobody restores it as the
 * latest. */
async function file(context: RunContext, record: BackupRecord, { allowEmpty = false }: VectorsBackupOptions): Promise<VectorsBackup> {
  const suspicion = allowEmpty ? undefined : await suspicionAbout(context, record);
  const judged = suspicion === undefined ? record : { ...record, copies: record.copies.map((copy) => doubted(copy, suspicion)), details: { ...record.details, suspicious: suspicion } };
  const { failed } = await context.catalog.write(judged);
  if (suspicion !== undefined) throw new RecordedError({ kind: "failed", what: `the backup is suspicious: ${suspicion}`, where: record.id, todo: "Find out where the vectors went. If the store is meant to be empty, run again with --allow-empty." });
  return { done: true, record, outcome: failed.length > 0 || outcomeOf(record) === "partial" ? "partial" : "ok" };
}

const doubted = (copy: CopyResult, suspicion: string): CopyResult => (copy.status === "ok" ? { backend: copy.backend, status: "failed", error: `suspicious, kept at ${copy.uri}: ${suspicion}` } : copy);

async function suspicionAbout({ catalog }: RunContext, record: BackupRecord): Promise<string | undefined> {
  if (record.details["points"] !== 0) return undefined;
  const { records } = await catalog.list({ store, kind, until: new Date(record.startedAt) });
  const before = records.findLast((candidate) => candidate.id !== record.id && outcomeOf(candidate) !== "failed");
  const had = before?.details["points"];
  return before !== undefined && typeof had === "number" && had > 0 ? `it holds 0 vectors, and the one before it (${before.id}) held ${had}` : undefined;
}

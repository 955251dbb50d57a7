import { access } from "node:fs/promises";
import { join } from "node:path";
import { deadlineOf, expiryOf, recordFailure, refuseReadOnly, type FailedBackup } from "../../backup-record.ts";
import { lateRecords } from "../../catalog/newest.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult, type StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { encryptStream } from "../../encryption/openpgp.ts";
import { DrError } from "../../errors.ts";
import { completeObject } from "../../storage/complete.ts";
import { writeToAll } from "../../storage/fan-out.ts";
import { secondsSince } from "../../system/clock.ts";
import { stream } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { readBlocks, type Block } from "./blocks.ts";
import { metricsOf } from "./connection.ts";
import type { MetricsConfig } from "./config.ts";
import { blockKind, blocksOf, snapshotKind, store, type StoredBlock } from "./details.ts";
import { sweepSnapshots, takeSnapshot, type Snapshot } from "./snapshot.ts";

export interface MetricsBackup {
  readonly record: BackupRecord;
  readonly outcome: "ok" | "partial";
  /** Blocks, and what they take in each backend; the others were stored by earlier runs. */
  readonly uploaded: { readonly blocks: number; readonly bytes: number };
  /** Snapshots of runs that were killed. */
  readonly swept: readonly string[];
}

const schedule = "metrics-snapshot";
/** What `tar` and OpenPGP add to a block, in bytes. */
const envelope = 64 * 1024;

interface Stored {
  readonly block: StoredBlock;
  readonly object: StoredObject;
}

/** A run's own state: its identity, its deadline, and per backend why its copy is not whole. */
interface Run {
  readonly context: RunContext;
  readonly attempt: FailedBackup;
  readonly signal: AbortSignal;
  readonly faults: Map<string, string>;
  uploaded: { readonly blocks: number; readonly bytes: number };
}

/**
 * Snapshots Prometheus into every backend. Blocks never change once they are written, so each is encrypted and stored
 * once, with a record of its own that a killed run leaves behind; the head is stored by each run. The record names
 * every block that a restore needs. Throws a `DrError` where no copy stands.
 */
export async function backUpMetrics(context: RunContext): Promise<MetricsBackup> {
  refuseReadOnly(context, "back up Prometheus");
  const config = metricsOf(context);
  const attempt: FailedBackup = { id: context.catalog.newId(store, snapshotKind), store, kind: snapshotKind, schedule, startedAt: context.clock.now() };
  const deadline = deadlineOf(context.plan, schedule);
  // Whoever comes after this time may take our snapshot for a dead run's.
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(deadline * 1_000)]);
  const run: Run = { context, attempt, signal, faults: new Map(), uploaded: { blocks: 0, bytes: 0 } };
  try {
    const swept = await sweepSnapshots(context, config);
    const begun = performance.now();
    context.report({ step: "have Prometheus take a snapshot" });
    const snapshot = await takeSnapshot(context, config, attempt.id, { startedAt: attempt.startedAt, deadline }, signal);
    const record = await storeSnapshot(run, config, snapshot, begun).finally(() => snapshot.remove());
    const { failed } = await context.catalog.write(record);
    return { record, outcome: failed.length > 0 || outcomeOf(record) === "partial" ? "partial" : "ok", uploaded: run.uploaded, swept };
  } catch (error) {
    const late = signal.aborted && !context.signal.aborted;
    const told = late ? new DrError({ kind: "failed", what: `the run did not end within its ${deadline} s; the blocks that it has stored are used by the next run`, where: attempt.id, todo: "Start it again.", cause: error }) : error;
    await recordFailure(context, attempt, told);
    throw told;
  }
}

async function storeSnapshot(run: Run, config: MetricsConfig, snapshot: Snapshot, begun: number): Promise<BackupRecord> {
  const { context, attempt } = run;
  const blocks = await readBlocks(snapshot.path);
  if (blocks.length === 0) throw new DrError({ kind: "failed", what: "the snapshot holds no block at all", where: snapshot.path, todo: "See whether this Prometheus scrapes anything, and whether its data was lost." });
  const known = await knownBlocks(context);
  const stored: Stored[] = [];
  for (const block of blocks) stored.push((await reuse(run, known.get(block.fingerprint))) ?? (await storeBlock(run, config, snapshot, block)));
  const copies = copiesOf(run, stored, secondsSince(begun));
  if (copies.every(({ status }) => status === "failed")) throw nobodyTook(attempt.id, copies);
  return {
    version: recordVersion, id: attempt.id, store, kind: snapshotKind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: attempt.startedAt.toISOString() },
    sourceBytes: blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: stored.map(({ object }) => object),
    encryption: "openpgp",
    copies,
    tools: {},
    expiresAt: expiryOf(context.plan, schedule, attempt.startedAt),
    details: { blocks: stored.map(({ block }) => ({ ...block })), samples: blocks.reduce((sum, { samples }) => sum + samples, 0), uploadedBlocks: run.uploaded.blocks, uploadedBytes: run.uploaded.bytes },
  };
}

/** By fingerprint, the blocks that earlier runs have stored: those of the newest snapshot, and those of killed runs. */
async function knownBlocks(context: RunContext): Promise<ReadonlyMap<string, Stored>> {
  const known = new Map<string, Stored>();
  for (const record of await lateRecords(context, store)) {
    if ((record.kind !== snapshotKind && record.kind !== blockKind) || outcomeOf(record) === "failed") continue;
    for (const block of blocksOf(record)) {
      const object = record.objects.find(({ key }) => key === block.key);
      if (object !== undefined && !block.head) known.set(block.fingerprint, { block, object });
    }
  }
  return known;
}

/** A block that is stored already, where a backend still has it; one that lacks it gets it from the other. */
async function reuse(run: Run, known: Stored | undefined): Promise<Stored | undefined> {
  if (known === undefined) return undefined;
  const { errors, found } = await completeObject(run.context.backends, known.object, run.signal);
  if (!found) return undefined;
  for (const [backend, error] of errors) run.faults.set(backend, error);
  return known;
}

async function storeBlock(run: Run, config: MetricsConfig, snapshot: Snapshot, block: Block): Promise<Stored> {
  const { context, attempt, signal } = run;
  // Only what Prometheus has on its disk too is a block for good; the rest was written out for this snapshot alone.
  const head = !(await access(join(config.dataDirectory, block.ulid, "meta.json")).then(() => true, () => false));
  const startedAt = context.clock.now();
  const id = head ? attempt.id : context.catalog.newId(store, blockKind);
  const key = `${store}/${id}/${block.ulid}.tar.pgp`;
  const [program, passphrase] = [await findProgram("tar"), await context.passphrase()];
  // Nothing may be awaited between its start and its reader: Node throws away what a child that has ended left unread.
  const tar = stream(program, ["--create", "--directory", snapshot.path, "--sort=name", "--numeric-owner", "--owner=0", "--group=0", block.ulid], { deadline: deadlineOf(context.plan, schedule), signal });
  tar.stdin.end();
  const written = await writeToAll(context.backends, key, encryptStream(tar.stdout, passphrase, { filename: `${block.ulid}.tar` }), {
    expectedBytes: block.bytes + envelope,
    signal,
    onBytes: (done) => context.report({ step: `store ${head ? "the head" : `block ${block.ulid}`} of Prometheus`, done, unit: "bytes" }),
  });
  if (written.copies.every(({ status }) => status === "failed")) {
    tar.kill(); // nobody reads it any more
    await tar.done.catch(() => undefined); // it was killed
    throw nobodyTook(key, written.copies);
  }
  await tar.done; // what a tar that failed had written was no block; it fails the stream as well
  for (const copy of written.copies) if (copy.status === "failed") run.faults.set(copy.backend, copy.error);
  run.uploaded = { blocks: run.uploaded.blocks + 1, bytes: run.uploaded.bytes + written.bytes };
  const stored: Stored = { block: { ...block, key, head }, object: { key, bytes: written.bytes, sha256: written.sha256 } };
  if (!head) await recordBlock(context, { ...attempt, id, kind: blockKind, startedAt }, stored, written.copies);
  return stored;
}

/** So that a run which is killed later has not stored it in vain, and nobody takes it for rubbish. */
async function recordBlock(context: RunContext, { id, startedAt }: FailedBackup, { block, object }: Stored, copies: CopyResult[]): Promise<void> {
  await context.catalog.write({
    version: recordVersion, id, store, kind: blockKind,
    startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: new Date(block.maxTime).toISOString() },
    sourceBytes: block.bytes, objects: [object], encryption: "openpgp", copies, tools: {},
    expiresAt: expiryOf(context.plan, schedule, startedAt), details: { blocks: [{ ...block }] },
  });
}

function copiesOf({ context, faults }: Run, stored: readonly Stored[], seconds: number): CopyResult[] {
  const bytes = stored.reduce((sum, { object }) => sum + object.bytes, 0);
  const key = stored.at(-1)?.object.key ?? store;
  return context.backends.map((backend): CopyResult => {
    const error = faults.get(backend.name);
    return error === undefined ? { backend: backend.name, status: "ok", uri: backend.uri(key), bytes, seconds } : { backend: backend.name, status: "failed", error };
  });
}

const nobodyTook = (where: string, copies: readonly CopyResult[]): DrError =>
  new DrError({ kind: "unavailable", what: `no backend took it: ${copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where, todo: "See why each backend failed; then back up again." });

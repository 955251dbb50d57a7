import { pipeline, type Readable } from "node:stream";
import type { ScheduleName } from "../../../plan/types.ts";
import { deadlineOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { encryptStream } from "../../encryption/openpgp.ts";
import { DrError } from "../../errors.ts";
import { placementOf } from "../../placement.ts";
import { writeToAll } from "../../storage/fan-out.ts";
import { HttpError } from "../../system/http.ts";
import { SnapshotInspector, type SnapshotSummary } from "./archive.ts";
import { healthOf, logIn, openVault, vaultOf, vaultServerOf, type VaultHealth, type VaultLink } from "./connection.ts";
import { madeElsewhere } from "./elsewhere.ts";
import { LocalCopyWriter, type LocalCopy } from "./local-copies.ts";
import { kind, store } from "./names.ts";
import { vaultSchedule } from "./retention.ts";
import { describeSeal, sameKey, snapshotSealSchema, type SnapshotSeal } from "./seal.ts";

export interface VaultBackupOptions {
  /** Do nothing, and say so, where this region's servers are not the ones in use: the same job runs in each region. */
  readonly leaderOnly?: boolean;
  /** Whose retention it gets. Default: `vault-snapshot`. */
  readonly schedule?: ScheduleName;
}

export type VaultBackup =
  | {
      readonly done: true;
      readonly record: BackupRecord;
      readonly outcome: "ok" | "partial";
      /** Absent where the configuration asks for no copy on this machine. */
      readonly local?: LocalCopy;
      /** What a person should know: that the seal has changed since the snapshot before. */
      readonly notes: readonly string[];
    }
  | { readonly done: false; readonly why: string };

/**
 * Snapshots Vault into every backend at once: raft snapshot → looked through → encrypted → stored, and a copy of the
 * encrypted message on this machine where one is asked for. Nothing unencrypted touches a disk here. Throws a `DrError`
 * where no copy stands; a snapshot that is not whole leaves no object, only the record of the failure.
 */
export async function backUpVault(context: RunContext, options: VaultBackupOptions = {}): Promise<VaultBackup> {
  refuseReadOnly(context, "back up Vault");
  const server = vaultServerOf(context);
  const { leaderOnly = false, schedule = vaultSchedule } = options;
  const attempt = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt: context.clock.now() };
  try {
    const link = await openVault(server);
    try {
      const health = await healthOf(link, context.signal).catch((error: unknown) => notHere(context, leaderOnly, error));
      if ("why" in health) return { done: false, why: health.why };
      const elsewhere = leaderOnly && isAsleep(health) ? await madeElsewhere(context, `${server.address} is ${health.state}`) : undefined;
      if (elsewhere !== undefined) return { done: false, why: elsewhere };
      refuseAsleep(health, server.address);
      const { record, local } = await snapshot(context, await logIn(link, server, context.signal), health, attempt);
      const notes = await sealNotes(context, record);
      const { failed } = await context.catalog.write(record);
      const whole = failed.length === 0 && outcomeOf(record) === "ok" && local?.status !== "failed";
      return { done: true, record, outcome: whole ? "ok" : "partial", notes, ...(local === undefined ? {} : { local }) };
    } finally {
      await link.close();
    }
  } catch (error) {
    await recordFailure(context, attempt, error);
    throw error;
  }
}

/** A region whose servers all sleep has nobody who answers: its service has no server that is ready. */
async function notHere(context: RunContext, leaderOnly: boolean, error: unknown): Promise<{ readonly why: string }> {
  if (!leaderOnly || !(error instanceof HttpError) || error.fault !== "refused") throw error;
  const why = await madeElsewhere(context, `nobody answers at ${vaultServerOf(context).address}`);
  if (why === undefined) throw error;
  return { why };
}

const isAsleep = ({ state }: VaultHealth): boolean => state === "sealed" || state === "not initialised";

function refuseAsleep(health: VaultHealth, where: string): void {
  if (!isAsleep(health)) return;
  throw new DrError({ kind: "unavailable", what: `Vault is ${health.state}, and gives no snapshot`, where, todo: health.state === "sealed" ? "Unseal it; where it should do so itself, read its log: its seal's key may be out of reach." : "Recover a snapshot into it with `dr recover vault`, or initialise it." });
}

type Attempt = Parameters<typeof recordFailure>[1];

async function snapshot(context: RunContext, link: VaultLink, health: VaultHealth, attempt: Attempt): Promise<{ readonly record: BackupRecord; readonly local: LocalCopy | undefined }> {
  const { plan, clock, signal } = context;
  const passphrase = await context.passphrase();
  const { backends, expiresAt } = await placementOf(context, attempt);
  context.report({ step: "ask Vault for a snapshot" });
  const begun = performance.now();
  const inspector = new SnapshotInspector(link.http.url);
  const cut = AbortSignal.any([signal, AbortSignal.timeout(deadlineOf(plan, attempt.schedule) * 1_000)]);
  connect(await openSnapshot(link, cut), inspector);
  const key = `${store}/${attempt.id}/raft.snap.pgp`;
  const { localCopies } = vaultOf(context);
  const writer = localCopies === undefined ? undefined : await LocalCopyWriter.open(localCopies, attempt.id);
  let local: LocalCopy | undefined;
  const encrypted = encryptStream(inspector, passphrase, { filename: "raft.snap" });
  const source = writer === undefined ? encrypted : connect(encrypted, writer);
  const written = await writeToAll(backends, key, source, { signal, onBytes: (done) => context.report({ step: "snapshot of Vault", done, unit: "bytes" }) }).finally(async () => {
    local = await writer?.finish(context);
  });
  inspector.destroy(); // it has ended, or nobody reads it any more
  if (local?.status === "failed") context.report({ step: `no copy on this machine: ${local.error}` });
  if (written.copies.every(({ status }) => status === "failed")) throw nobodyTook(attempt.id, written.copies);
  const { bytes, ...summary } = inspector.summary;
  const record: BackupRecord = {
    version: recordVersion, id: attempt.id, store, kind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: clock.now().toISOString(),
    // Its clock tells whole seconds, rounded down: everything acknowledged before is in the snapshot.
    watermark: { time: health.time.toISOString() },
    sourceBytes: bytes,
    objects: [{ key, bytes: written.bytes, sha256: written.sha256 }],
    encryption: "openpgp",
    copies: written.copies,
    tools: { vault: health.version },
    expiresAt,
    details: detailsOf(summary, health, local, (performance.now() - begun) / 1_000),
  };
  return { record, local };
}

/** A standby that cannot ask the leader names its address instead of sending us there with our token. */
async function openSnapshot(link: VaultLink, signal: AbortSignal): Promise<Readable> {
  const { body } = await link.http.stream({ path: "/v1/sys/storage/raft/snapshot", headers: link.as, deadline: 60, signal });
  return body;
}

/** An error at either end ends both; it reaches the reader of `target`. */
function connect<T extends NodeJS.ReadWriteStream & Readable>(source: Readable, target: T): T {
  pipeline(source, target, () => undefined);
  return target;
}

function detailsOf(summary: Omit<SnapshotSummary, "bytes">, health: VaultHealth, local: LocalCopy | undefined, seconds: number): BackupRecord["details"] {
  const { entries, index, term, seal } = summary;
  return {
    entries, raftIndex: index, raftTerm: term,
    seal: seal === undefined ? null : { ...seal },
    version: health.version, clusterName: health.clusterName ?? null, clusterId: health.clusterId ?? null,
    snapshotSeconds: seconds,
    ...(local === undefined ? {} : { localCopy: local.status === "ok" ? local.path : `failed: ${local.error}` }),
  };
}

const nobodyTook = (id: string, copies: readonly CopyResult[]): DrError =>
  new DrError({ kind: "unavailable", what: `no backend took the snapshot: ${copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: id, todo: "See why each backend failed; then back up again." });

/** The seal that a record says its snapshot needs. */
export function sealIn(record: BackupRecord): SnapshotSeal | undefined {
  return snapshotSealSchema.safeParse(record.details["seal"]).data;
}

/** How far back the snapshot before is looked for, in ms: not every run reads a week of records. */
const recently = 3_600 * 1_000;

/** Another key than last time: whoever keeps the old one must go on keeping it for as long as the older snapshots. */
async function sealNotes({ catalog }: RunContext, record: BackupRecord): Promise<string[]> {
  const now = sealIn(record);
  if (now === undefined) return ["the snapshot names no seal: nothing can open it"];
  const startedAt = new Date(record.startedAt);
  const { records } = await catalog.list({ store, kind, since: new Date(startedAt.getTime() - recently), until: startedAt });
  const previous = records.findLast((candidate) => candidate.id !== record.id && outcomeOf(candidate) !== "failed");
  const before = previous === undefined ? undefined : sealIn(previous);
  if (previous === undefined || before === undefined || before.rootKey === now.rootKey) return [];
  const what = sameKey(before, now) && now.type !== "shamir" ? "the root key was sealed anew" : "the seal's keys have changed";
  return [`${what} since ${previous.id}: older snapshots still need ${describeSeal(before)} as it was then`];
}

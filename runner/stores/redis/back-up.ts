import { pipeline, type Readable } from "node:stream";
import type { ScheduleName } from "../../../plan/types.ts";
import { deadlineOf, recordFailure, refuseReadOnly } from "../../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { encryptStream } from "../../encryption/openpgp.ts";
import { DrError } from "../../errors.ts";
import { placementOf } from "../../placement.ts";
import { writeToAll } from "../../storage/fan-out.ts";
import { run, stream } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { chooseServer, refuseStale } from "./choose-server.ts";
import { clientArguments, describeRedis, passwordOf, type RedisAddress, type RedisLink } from "./connection.ts";
import { RdbInspector, type RdbSummary } from "./rdb-inspector.ts";
import { keysIn, serverState, watermarkOf, type ServerState } from "./server-state.ts";

export interface RedisBackupOptions {
  /** Do nothing, and say so, where no server is the primary: the same job runs in each region. */
  readonly leaderOnly?: boolean;
  /** Take a snapshot without keys for good although the one before it had some. */
  readonly allowEmpty?: boolean;
  /** Whose retention it gets. Default: `redis-snapshot`. */
  readonly schedule?: ScheduleName;
}

export type RedisBackup =
  | { readonly done: true; readonly record: BackupRecord; readonly outcome: "ok" | "partial" }
  | { readonly done: false; readonly why: string };

const store = "redis";
const kind = "snapshot";

/**
 * Snapshots Redis into every backend at once: `redis-cli --rdb` → checked → encrypted → stored. The watermark is the
 * server's own time before the dump began. Nothing touches a disk here. Throws a `DrError` where no copy stands; a
 * dump that broke off leaves no objects, only the record of the failure.
 */
export async function backUpRedis(context: RunContext, options: RedisBackupOptions = {}): Promise<RedisBackup> {
  refuseReadOnly(context, "back up Redis");
  const { schedule = "redis-snapshot" } = options;
  const attempt = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt: context.clock.now() };
  try {
    const { link, state: before } = await chooseServer(context);
    try {
      if (options.leaderOnly === true && before.role === "replica") return { done: false, why: `${describeRedis(link.address)} is a replica; its primary is backed up where it is` };
      refuseStale({ link, state: before });
      const record = await snapshot(context, link, before, attempt);
      return await file(context, record, options.allowEmpty === true);
    } finally {
      link.close();
    }
  } catch (error) {
    if (!(error instanceof RecordedError)) await recordFailure(context, attempt, error);
    throw error;
  }
}

/** A failure whose record is written already. */
class RecordedError extends DrError {}

type Attempt = Parameters<typeof recordFailure>[1];

async function snapshot(context: RunContext, link: RedisLink, before: ServerState, attempt: Attempt): Promise<BackupRecord> {
  const { plan, clock, signal } = context;
  const redisCli = await findProgram("redis-cli");
  const passphrase = await context.passphrase();
  const { backends, expiresAt } = await placementOf(context, attempt);
  context.report({ step: "ask Redis for a snapshot" });
  const begun = performance.now();
  const inspector = await dump(link.address, redisCli, deadlineOf(plan, attempt.schedule), signal);
  const key = `${store}/${attempt.id}/dump.rdb.pgp`;
  const written = await writeToAll(backends, key, encryptStream(inspector, passphrase, { filename: "dump.rdb" }), {
    expectedBytes: largestDump(before),
    signal,
    onBytes: (done) => context.report({ step: "snapshot of Redis", done, unit: "bytes" }),
  });
  inspector.destroy(); // it has ended, or nobody reads it any more
  if (written.copies.every(({ status }) => status === "failed")) throw nobodyTook(attempt.id, written.copies);
  const { summary } = inspector;
  return {
    version: recordVersion, id: attempt.id, store, kind,
    startedAt: attempt.startedAt.toISOString(), finishedAt: clock.now().toISOString(),
    watermark: { time: watermarkOf(before).toISOString() },
    sourceBytes: summary.bytes,
    objects: [{ key, bytes: written.bytes, sha256: written.sha256 }],
    encryption: "openpgp",
    copies: written.copies,
    tools: { "redis-cli": await versionOf(redisCli), "redis-server": before.version },
    expiresAt,
    details: { ...countsOf(summary, before, await serverState(link)), rdbVersion: summary.rdbVersion, redisVersion: before.version, runId: before.runId, role: before.role, replicationId: before.replicationId, replicationOffset: before.replicationOffset, dumpSeconds: (performance.now() - begun) / 1_000 },
  };
}

async function dump(address: RedisAddress, redisCli: string, deadline: number, signal: AbortSignal): Promise<RdbInspector> {
  const password = await passwordOf(address);
  const command = stream(redisCli, [...clientArguments(address), "--rdb", "-"], { deadline, signal });
  command.stdin.end(password === undefined ? "" : `${password}\n`);
  const inspector = new RdbInspector(() => command.done, describeRedis(address));
  connectStreams(command.stdout, inspector);
  // Whoever gives up on the dump (no backend is left) ends the client too: the server forks for it.
  let ended = false;
  const note = () => void (ended = true);
  command.done.then(note, note);
  inspector.once("close", () => {
    if (!ended) command.kill();
  });
  return inspector;
}

const nobodyTook = (id: string, copies: readonly CopyResult[]): DrError =>
  new DrError({ kind: "unavailable", what: `no backend took the snapshot: ${copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: id, todo: "See why each backend failed; then back up again." });

/** An error at either end ends both; it reaches the reader of `target`. */
function connectStreams(source: Readable, target: RdbInspector): void {
  pipeline(source, target, () => undefined);
}

/** An RDB is smaller than the memory it was made from; the rest is for the envelope of a small one. */
const largestDump = ({ usedMemory }: ServerState): number => usedMemory + 16 * 1024 ** 2;

async function versionOf(redisCli: string): Promise<string> {
  const { stdout } = await run(redisCli, ["--version"], { deadline: 10 });
  return /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? stdout.trim();
}

/** The dump says itself how many keys its first database has; with several, the server's word after it must do. */
function countsOf({ first, empty }: RdbSummary, before: ServerState, after: ServerState): { keys: number; expires: number; databases: number; counted: "dump" | "server" } {
  const databases = new Set([...before.databases.keys(), ...after.databases.keys()]);
  if (empty) return { keys: 0, expires: 0, databases: 0, counted: "dump" };
  if (first !== undefined && [...databases].every((database) => database === first.database)) return { keys: first.keys, expires: first.expires, databases: 1, counted: "dump" };
  return { keys: keysIn(after), expires: [...after.databases.values()].reduce((sum, { expires }) => sum + expires, 0), databases: databases.size, counted: "server" };
}

/** Writes the record. A snapshot that is suddenly empty is kept but counts as failed, so that nobody restores it as
 * the latest (GitLab's dumps were empty for months, and nobody was told). */
async function file(context: RunContext, record: BackupRecord, allowEmpty: boolean): Promise<RedisBackup> {
  const suspicion = allowEmpty ? undefined : await suspicionAbout(context, record);
  const judged = suspicion === undefined ? record : { ...record, copies: record.copies.map((copy) => doubted(copy, suspicion)), details: { ...record.details, suspicious: suspicion } };
  const { failed } = await context.catalog.write(judged);
  if (suspicion !== undefined) throw new RecordedError({ kind: "failed", what: `the snapshot is suspicious: ${suspicion}`, where: record.id, todo: "Find out where the keys went. If it is meant to be empty, run again with --allow-empty." });
  return { done: true, record, outcome: failed.length > 0 || outcomeOf(record) === "partial" ? "partial" : "ok" };
}

const doubted = (copy: CopyResult, suspicion: string): CopyResult => (copy.status === "ok" ? { backend: copy.backend, status: "failed", error: `suspicious, kept at ${copy.uri}: ${suspicion}` } : copy);

async function suspicionAbout({ catalog }: RunContext, record: BackupRecord): Promise<string | undefined> {
  if (record.details["keys"] !== 0) return undefined;
  const { records } = await catalog.list({ store, kind, until: new Date(record.startedAt) });
  const previous = records.findLast((candidate) => candidate.id !== record.id && outcomeOf(candidate) !== "failed");
  const had = previous?.details["keys"];
  return previous !== undefined && typeof had === "number" && had > 0 ? `it holds 0 keys, and the one before it (${previous.id}) held ${had}` : undefined;
}

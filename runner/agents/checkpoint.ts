import { Readable } from "node:stream";
import { recordFailure, refuseReadOnly } from "../backup-record.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { writeToAll } from "../storage/fan-out.ts";
import { isLeader, withPostgres } from "../stores/postgres/connection.ts";
import { placementOf } from "../placement.ts";
import { makeFolder } from "../system/files.ts";
import { GarbageLimit } from "../system/garbage.ts";
import { blocksName, indexName, sealBlock, sealIndex, sha256, type Block, type CheckpointIndex } from "./block.ts";
import { beginSnapshot, countAgents, readBlocks, type AgentRow } from "./read-postgres.ts";
import { spoolRedis, type PresentKeys } from "./read-redis.ts";
import { RedisSpool } from "./redis-spool.ts";
import { openStores, type AgentStores } from "./stores.ts";

export const agentsStore = "agents";
/** `before-recovery` is what a recovery saves of the present before it replaces it; it is never chosen unasked. */
export type CheckpointKind = "checkpoint" | "before-recovery";

export interface CheckpointOptions {
  /** These agents; default: all. */
  readonly only?: readonly string[];
  readonly kind?: CheckpointKind;
  /** Keys that were found a moment ago: no second scan is made. */
  readonly present?: PresentKeys;
}

export interface Checkpoint {
  readonly record: BackupRecord;
  readonly outcome: "ok" | "partial";
  readonly agents: number;
  readonly keys: number;
  /** Requests that each backend was sent for it. */
  readonly requests: Readonly<Record<string, number>>;
}

const schedule = "agents-checkpoint";
/** Agents may have become as many times bigger than planned: parts of an upload are sized by it, and memory by these. */
const roomForGrowth = 4;
/** Beyond so many, who is in a partial checkpoint stands in its index only. */
const listedAgents = 1_000;

/**
 * Checkpoints agents into every backend: Redis first and then one unchanging view of PostgreSQL, so that no working
 * memory is ahead of its agent. Blocks of at most 1,000 agents stand one behind the other in one object, which is
 * written while it is read, and an index says where each agent is. Memory is bounded by a block, not by their number.
 */
export async function checkpointAgents(context: RunContext, options: CheckpointOptions = {}): Promise<Checkpoint> {
  refuseReadOnly(context, "checkpoint agents");
  const stores = await openStores(context, "read").catch(async (error: unknown) => {
    const kind = options.kind ?? "checkpoint";
    await recordFailure(context, { id: context.catalog.newId(agentsStore, kind), store: agentsStore, kind, schedule, startedAt: context.clock.now() }, error);
    throw error;
  });
  try {
    return await checkpointFrom(context, stores, options);
  } finally {
    await stores.close();
  }
}

/** A checkpoint that is made in another region. */
export interface Elsewhere {
  readonly elsewhere: string;
}

/**
 * The same where PostgreSQL's leader is, and nothing anywhere else: the same job runs in each region, and the leader is
 * in one of them alone, also while Redis's primary is in the other. A server that cannot be asked is a failure, which
 * the checkpoint records.
 */
export async function checkpointWhereLeader(context: RunContext, options: CheckpointOptions = {}): Promise<Checkpoint | Elsewhere> {
  refuseReadOnly(context, "checkpoint agents");
  const leads = await withPostgres(context, isLeader).catch((error: unknown) => {
    context.report({ step: `PostgreSQL cannot be asked whether it is the leader: ${messageOf(error)}` });
    return true;
  });
  return leads ? checkpointAgents(context, options) : { elsewhere: "this PostgreSQL is a replica: the agents are checkpointed where the leader is" };
}

/** The same over connections that are open already. */
export async function checkpointFrom(context: RunContext, stores: AgentStores, { only, kind = "checkpoint", present }: CheckpointOptions): Promise<Checkpoint> {
  const attempt = { id: context.catalog.newId(agentsStore, kind), store: agentsStore, kind, schedule, startedAt: context.clock.now() } as const;
  const placement = await placementOf(context, attempt);
  const before = context.backends.map(({ requests }) => requests);
  const spool = await RedisSpool.open(await makeFolder(context.config.workDirectory, { mode: 0o711 }));
  try {
    const written = await writeCheckpoint({ ...context, backends: placement.backends }, stores, spool, { id: attempt.id, only: only === undefined ? undefined : new Set(only), orphans: kind === "before-recovery", present });
    const record: BackupRecord = {
      version: recordVersion, id: attempt.id, store: agentsStore, kind,
      startedAt: attempt.startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
      watermark: { time: written.time.toISOString(), lsn: written.lsn },
      sourceBytes: written.sourceBytes, objects: written.objects, encryption: "openpgp", copies: written.copies, tools: {},
      expiresAt: placement.expiresAt,
      details: { agents: written.agents, keys: written.keys, blocks: written.blocks, withoutRow: written.withoutRow, scope: only === undefined ? "all" : "some", ...(only !== undefined && only.length <= listedAgents ? { only: [...only] } : {}) },
    };
    const outcome = outcomeOf(record);
    const { failed } = await context.catalog.write(record).catch((error: unknown) => {
      throw outcome === "failed" ? new NothingWritten(record) : error;
    });
    if (outcome === "failed") throw new NothingWritten(record);
    const requests = Object.fromEntries(context.backends.map((backend, index) => [backend.name, backend.requests - (before[index] ?? 0)]));
    return { record, outcome: failed.length > 0 ? "partial" : outcome, agents: written.agents, keys: written.keys, requests };
  } catch (error) {
    if (!(error instanceof NothingWritten)) await recordFailure(context, attempt, error);
    throw error;
  } finally {
    await spool.close();
  }
}

/** Its record says so already. */
class NothingWritten extends DrError {
  constructor({ id, copies }: BackupRecord) {
    super({ kind: "unavailable", what: `no backend took the checkpoint: ${copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: id, todo: "See why each backend failed; then checkpoint again." });
  }
}

interface Written {
  readonly time: Date;
  readonly lsn: string;
  readonly agents: number;
  readonly keys: number;
  readonly blocks: number;
  /** Agents that only Redis knows. */
  readonly withoutRow: number;
  readonly sourceBytes: number;
  readonly objects: BackupRecord["objects"];
  readonly copies: CopyResult[];
}

interface Scope {
  readonly id: string;
  readonly only: ReadonlySet<string> | undefined;
  /** Whether keys whose agent PostgreSQL does not know are kept too: a recovery is about to replace them. */
  readonly orphans: boolean;
  readonly present: PresentKeys | undefined;
}

async function writeCheckpoint(context: RunContext, { database, redis }: AgentStores, spool: RedisSpool, { id, only, orphans, present }: Scope): Promise<Written> {
  const { backends, signal } = context;
  const passphrase = await context.passphrase();
  context.report({ step: "read working memory" });
  const time = await spoolRedis(redis, spool, only, present);
  const lsn = await beginSnapshot(database);
  try {
    const total = only?.size ?? (await countAgents(database));
    const object = `${agentsStore}/${id}/${blocksName}`;
    const blocks: Block[] = [];
    let agents = 0;
    let keys = 0;
    let sourceBytes = 0;
    let withoutRow = 0;
    const garbage = new GarbageLimit();
    async function* rowsOf(): AsyncGenerator<readonly AgentRow[]> {
      yield* readBlocks(database, only);
      const left = [...spool.agents()];
      withoutRow = left.length;
      if (orphans && left.length > 0) yield left.map(withoutRowLine);
    }
    async function* messages(): AsyncGenerator<Buffer> {
      let offset = 0;
      for await (const rows of rowsOf()) {
        signal.throwIfAborted();
        const lines: Buffer[] = [];
        for (const row of rows) {
          const own = await spool.take(row.id);
          keys += own.length;
          lines.push(Buffer.from(`${row.line.slice(0, -1)},"keys":${JSON.stringify(own)}}\n`));
        }
        const block = Buffer.concat(lines);
        const message = await sealBlock(block, passphrase);
        blocks.push({ offset, length: message.length, sha256: sha256(message), agents: rows.map((row) => row.id) });
        offset += message.length;
        agents += rows.length;
        sourceBytes += block.length;
        context.report({ step: "checkpoint agents", done: agents, total, unit: "agents" });
        yield message;
        garbage.check();
      }
    }
    const packed = await writeToAll(backends, object, Readable.from(messages(), { objectMode: false }), { signal, expectedBytes: total * context.plan.checkpointSize * roomForGrowth });
    const index: CheckpointIndex = { version: 1, object, blocks };
    const standing = backends.filter((_, place) => packed.copies[place]?.status === "ok");
    const sealed = await sealIndex(index, passphrase);
    const indexKey = `${agentsStore}/${id}/${indexName}`;
    const listed = standing.length === 0 ? undefined : await writeToAll(standing, indexKey, Readable.from([sealed], { objectMode: false }), { signal, expectedBytes: sealed.length });
    return {
      time, lsn, agents, keys, blocks: blocks.length, withoutRow, sourceBytes,
      objects: [{ key: object, bytes: packed.bytes, sha256: packed.sha256 }, { key: indexKey, bytes: sealed.length, sha256: sha256(sealed) }],
      copies: packed.copies.map((copy) => joined(copy, listed?.copies.find(({ backend }) => backend === copy.backend))),
    };
  } finally {
    await database.query("rollback").catch(() => undefined); // the connection is gone, and the view with it
  }
}

/** A copy stands when the blocks and the index do. */
function joined(blocks: CopyResult, index: CopyResult | undefined): CopyResult {
  if (blocks.status === "failed") return blocks;
  if (index?.status === "ok") return { ...blocks, bytes: blocks.bytes + index.bytes, seconds: blocks.seconds + index.seconds };
  return { backend: blocks.backend, status: "failed", error: `the index could not be written: ${index?.error ?? "not tried"}` };
}

function withoutRowLine(id: string): AgentRow {
  const line = { id, config: null, status: "", sequence: "0", lsn: null, updatedAt: "", tasks: [], episodes: [] };
  return { id, line: JSON.stringify(line) };
}

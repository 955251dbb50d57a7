import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { secondsSince } from "../system/clock.ts";
import { GarbageLimit } from "../system/garbage.ts";
import { checkpointFrom } from "./checkpoint.ts";
import type { CheckpointedAgent } from "./block.ts";
import { findCheckpoints, noCheckpoint, type CheckpointQuestion, type WantedBlock } from "./find-checkpoint.ts";
import type { RejectedCopy } from "../copies.ts";
import { readBlock } from "./read-checkpoint.ts";
import { presentKeys, type PresentKeys } from "./read-redis.ts";
import { none, restoreAgents, sum, type AgentFailure, type RestoreCounts, type RestoreResult } from "./restore.ts";
import { openStores, type AgentStores } from "./stores.ts";

export interface AgentRecoveryOptions extends CheckpointQuestion {
  /** Checkpoint what is there now before it is replaced. Default: yes, except where the run may only read. */
  readonly keepPresent?: boolean;
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean;
}

export interface UsedCheckpoint {
  readonly id: string;
  /** What it reaches to. */
  readonly time: string;
  readonly agents: number;
}

export interface AgentsRecovery extends RestoreCounts {
  readonly dryRun: boolean;
  readonly checkpoints: readonly UsedCheckpoint[];
  readonly failed: readonly AgentFailure[];
  /** Parts that one backend had damaged; another's were used. */
  readonly rejected: readonly RejectedCopy[];
  /** The checkpoint of what was there before; `undefined`: nothing was, or it was not asked for. */
  readonly before: string | undefined;
  readonly seconds: { readonly find: number; readonly keepPresent: number; readonly restore: number; readonly total: number };
}

/** Recovers one agent. Throws a `DrError` where it has no checkpoint or cannot be restored; nothing is changed then. */
export async function recoverAgent(context: RunContext, id: string, options: Omit<AgentRecoveryOptions, "only"> = {}): Promise<AgentsRecovery> {
  const result = await recoverAgents(context, { ...options, only: [id] });
  const [failure] = result.failed;
  if (failure === undefined) return result;
  const missing = noCheckpoint(id, options.at);
  throw failure.error === missing.message ? missing : new DrError({ kind: "failed", what: `the agent ${id} could not be recovered: ${failure.error}`, where: result.checkpoints[0]?.id ?? "catalog", todo: "Correct what is named, or take an earlier checkpoint with --at." });
}

/**
 * Recovers agents, block by block: configuration and the status `recovered`, tasks, episodes and working memory with
 * its expiry times. An agent that cannot be recovered is reported and the others go on; agents that no checkpoint
 * holds are left as they are.
 */
export async function recoverAgents(context: RunContext, options: AgentRecoveryOptions = {}): Promise<AgentsRecovery> {
  const begun = performance.now();
  const found = await findAll(context, options);
  if (options.dryRun === true || found.blocks.length === 0) {
    const agents = found.blocks.reduce((total, block) => total + block.agents.size, 0);
    return { ...none, agents, ...toldOf(found, options), before: undefined, seconds: { find: found.seconds, keepPresent: 0, restore: 0, total: secondsSince(begun) } };
  }
  const stores = await openStores(context, "write");
  try {
    return await recoverFound(context, stores, options, found, begun);
  } finally {
    await stores.close();
  }
}

/** The same over connections that are open already. */
export async function recoverWith(context: RunContext, stores: AgentStores, options: AgentRecoveryOptions): Promise<AgentsRecovery> {
  const begun = performance.now();
  return recoverFound(context, stores, options, await findAll(context, options), begun);
}

interface Found {
  readonly blocks: readonly WantedBlock[];
  readonly unfound: readonly AgentFailure[];
  readonly rejected: RejectedCopy[];
  readonly seconds: number;
}

async function findAll(context: RunContext, options: AgentRecoveryOptions): Promise<Found> {
  const begun = performance.now();
  const rejected: RejectedCopy[] = [];
  const { blocks, missing } = await findCheckpoints(context, options, rejected);
  if (blocks.length === 0 && missing.length === 0) throw new DrError({ kind: "failed", what: "No checkpoint found", where: options.at === undefined ? "catalog" : `at or before ${options.at.toISOString()}`, todo: "Make one with `dr backup agents checkpoint`, or name a later time." });
  return { blocks, rejected, unfound: missing.map((id) => ({ id, error: noCheckpoint(id, options.at).message })), seconds: secondsSince(begun) };
}

const toldOf = ({ blocks, unfound, rejected }: Found, { dryRun = false }: AgentRecoveryOptions) => ({ dryRun, checkpoints: usedBy(blocks), failed: unfound, rejected });

async function recoverFound(context: RunContext, stores: AgentStores, options: AgentRecoveryOptions, found: Found, begun: number): Promise<AgentsRecovery> {
  const keeping = performance.now();
  const only = options.only === undefined ? undefined : found.blocks.flatMap(({ agents }) => [...agents]);
  const present = await presentKeys(stores.redis, only === undefined ? undefined : new Set(only));
  const before = (options.keepPresent ?? !context.config.readOnly) ? await keepPresent(context, stores, present, only) : undefined;
  const keepSeconds = secondsSince(keeping);
  const restoring = performance.now();
  const restored = await restoreBlocks(context, stores, found.blocks, present, found.rejected);
  const seconds = { find: found.seconds, keepPresent: keepSeconds, restore: secondsSince(restoring), total: secondsSince(begun) };
  return { ...restored, ...toldOf(found, options), failed: [...found.unfound, ...restored.failed], before, seconds };
}

function usedBy(blocks: readonly WantedBlock[]): UsedCheckpoint[] {
  const used = new Map<string, UsedCheckpoint>();
  for (const { record, agents } of blocks) used.set(record.id, { id: record.id, time: record.watermark.time, agents: (used.get(record.id)?.agents ?? 0) + agents.size });
  return [...used.values()];
}

/** Whoever recovers the wrong agent, or to the wrong time, can go back to this. An empty system has nothing to keep. */
async function keepPresent(context: RunContext, stores: AgentStores, present: PresentKeys, only: readonly string[] | undefined): Promise<string | undefined> {
  const { rows } = await stores.database.query("select from agents where $1::text[] is null or id = any($1) limit 1", [only ?? null]);
  if (rows.length === 0 && present.size === 0) return undefined;
  const { record } = await checkpointFrom(context, stores, { kind: "before-recovery", present, ...(only === undefined ? {} : { only }) });
  return record.id;
}

async function restoreBlocks(context: RunContext, stores: AgentStores, blocks: readonly WantedBlock[], present: PresentKeys, rejected: RejectedCopy[]): Promise<RestoreResult> {
  const total = blocks.reduce((count, { agents }) => count + agents.size, 0);
  const garbage = new GarbageLimit();
  let result = none;
  let next = readWanted(context, blocks[0], rejected);
  for (const place of blocks.keys()) {
    const { agents, failed } = await next;
    context.signal.throwIfAborted();
    next = readWanted(context, blocks[place + 1], rejected); // on its way while this one is restored
    result = sum(sum(result, { ...none, failed }), await restoreAgents(stores, agents, present, context.clock.now()));
    context.report({ step: "recover agents", done: result.agents + result.failed.length, total, unit: "agents" });
    garbage.check();
  }
  return result;
}

/** Never throws: a block that no backend has whole is the failure of its agents, and the others go on. */
async function readWanted(context: RunContext, wanted: WantedBlock | undefined, rejected: RejectedCopy[]): Promise<{ readonly agents: readonly CheckpointedAgent[]; readonly failed: readonly AgentFailure[] }> {
  if (wanted === undefined) return { agents: [], failed: [] };
  const { record, index, block, agents: ids } = wanted;
  try {
    return { agents: await readBlock(context, record, index, block, ids, rejected), failed: [] };
  } catch (error) {
    return { agents: [], failed: [...ids].map((id) => ({ id, error: messageOf(error) })) };
  }
}

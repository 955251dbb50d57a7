import { DatabaseError, type Client } from "pg";
import { DrError, messageOf } from "../errors.ts";
import type { RedisArgument, RedisLink } from "../stores/redis/connection.ts";
import type { PresentKeys } from "./read-redis.ts";
import type { CheckpointedAgent } from "./block.ts";
import type { AgentStores } from "./stores.ts";

export interface RestoreCounts {
  readonly agents: number;
  readonly tasks: number;
  readonly episodes: number;
  readonly keys: number;
  /** Keys whose time has passed since: they are not brought back. */
  readonly expiredKeys: number;
}

export interface AgentFailure {
  readonly id: string;
  readonly error: string;
}

export interface RestoreResult extends RestoreCounts {
  readonly failed: readonly AgentFailure[];
}

/** Agents whose keys are replaced in one Redis transaction: each is whole at any time, and the server is not held up. */
const agentsPerTransaction = 100;

export const none: RestoreResult = { agents: 0, tasks: 0, episodes: 0, keys: 0, expiredKeys: 0, failed: [] };

export const sum = (a: RestoreResult, b: RestoreResult): RestoreResult => ({
  agents: a.agents + b.agents, tasks: a.tasks + b.tasks, episodes: a.episodes + b.episodes, keys: a.keys + b.keys, expiredKeys: a.expiredKeys + b.expiredKeys, failed: [...a.failed, ...b.failed],
});

/**
 * Restores agents together; where that fails, halves of them, until each agent that cannot be restored stands alone
 * with its error. Throws only where a store itself is gone.
 */
export async function restoreAgents(stores: AgentStores, agents: readonly CheckpointedAgent[], present: PresentKeys, now: Date): Promise<RestoreResult> {
  if (agents.length === 0) return none;
  try {
    return { ...(await restoreTogether(stores, agents, present, now)), failed: [] };
  } catch (error) {
    if (isGone(error)) throw error;
    const [only, ...more] = agents;
    if (only !== undefined && more.length === 0) return { ...none, failed: [{ id: only.id, error: messageOf(error) }] };
    const middle = Math.ceil(agents.length / 2);
    const first = await restoreAgents(stores, agents.slice(0, middle), present, now);
    return sum(first, await restoreAgents(stores, agents.slice(middle), present, now));
  }
}

/** A refusal is the data's fault and is narrowed down; anything else says that the connection or the server is gone. */
function isGone(error: unknown): boolean {
  if (error instanceof DatabaseError) return /^(08|53|57|58)/.test(error.code ?? "");
  return !(error instanceof DrError && error.kind === "failed"); // a right that is missing is missing for all
}

/**
 * PostgreSQL's transaction is open while Redis is replaced and commits after it: where Redis refuses, nothing has
 * changed in PostgreSQL, and at no moment is a working memory ahead of its agent.
 */
async function restoreTogether({ database, redis }: AgentStores, agents: readonly CheckpointedAgent[], present: PresentKeys, now: Date): Promise<RestoreCounts> {
  await database.query("begin");
  try {
    const { tasks, episodes } = await restoreRows(database, agents);
    const { keys, expiredKeys } = await restoreKeys(redis, agents, present, now);
    await database.query("commit");
    return { agents: agents.length, tasks, episodes, keys, expiredKeys };
  } catch (error) {
    await database.query("rollback").catch(() => undefined); // a lost connection has rolled back
    throw error;
  }
}

const upsert = `
insert into agents (id, config, status, sequence, lsn, updated_at)
select id, config::jsonb, 'recovered', sequence, lsn, clock_timestamp() from json_to_recordset($1::json) as a(id text, config text, sequence bigint, lsn pg_lsn)
on conflict (id) do update set config = excluded.config, status = excluded.status, sequence = excluded.sequence, lsn = excluded.lsn, updated_at = excluded.updated_at`;
const insertTasks = `
insert into task_history (agent_id, sequence, task, outcome, created_at)
select * from json_to_recordset($1::json) as t(a text, s bigint, t text, o text, c timestamptz)`;
const insertEpisodes = `
insert into episodic_memory (agent_id, sequence, content, created_at)
select * from json_to_recordset($1::json) as e(a text, s bigint, e text, c timestamptz)`;

/**
 * The task history is replaced together with the episodes: both are numbered by the agent's own sequence, which goes
 * back too, and rows from after it would collide with what the agent does next. The present ones are in the
 * checkpoint that the recovery made first.
 */
async function restoreRows(database: Client, agents: readonly CheckpointedAgent[]): Promise<{ tasks: number; episodes: number }> {
  const rowless = agents.find(({ config }) => config === null);
  if (rowless !== undefined) throw new DrError({ kind: "failed", what: `the checkpoint holds only the working memory of ${rowless.id}: PostgreSQL had no such agent`, where: rowless.id, todo: "Recover it from an older checkpoint." });
  const ids = agents.map(({ id }) => id);
  const rows = agents.map(({ id, config, sequence, lsn }) => ({ id, config, sequence, lsn }));
  const tasks = agents.flatMap(({ id, tasks: own }) => own.map(([s, t, o, c]) => ({ a: id, s, t, o, c })));
  const episodes = agents.flatMap(({ id, episodes: own }) => own.map(([s, e, c]) => ({ a: id, s, e, c })));
  await database.query({ name: "upsert agents", text: upsert, values: [JSON.stringify(rows)] });
  await database.query({ name: "clear tasks", text: "delete from task_history where agent_id = any($1)", values: [ids] });
  await database.query({ name: "clear episodes", text: "delete from episodic_memory where agent_id = any($1)", values: [ids] });
  await database.query({ name: "insert tasks", text: insertTasks, values: [JSON.stringify(tasks)] });
  await database.query({ name: "insert episodes", text: insertEpisodes, values: [JSON.stringify(episodes)] });
  return { tasks: tasks.length, episodes: episodes.length };
}

async function restoreKeys(redis: RedisLink, agents: readonly CheckpointedAgent[], present: PresentKeys, now: Date): Promise<{ keys: number; expiredKeys: number }> {
  const transactions: Promise<void>[] = [];
  let keys = 0;
  let expiredKeys = 0;
  for (let first = 0; first < agents.length; first += agentsPerTransaction) {
    const commands: RedisArgument[][] = [];
    for (const agent of agents.slice(first, first + agentsPerTransaction)) {
      const living = agent.keys.filter(({ expiresAt }) => expiresAt === null || expiresAt > now.getTime());
      const kept = new Set(living.map(({ key }) => key));
      const gone = (present.get(agent.id) ?? []).filter((key) => !kept.has(key));
      if (gone.length > 0) commands.push(["UNLINK", ...gone]);
      for (const { key, expiresAt, dump } of living) commands.push(["RESTORE", key, String(expiresAt ?? 0), Buffer.from(dump, "base64"), "REPLACE", "ABSTTL"]);
      keys += living.length;
      expiredKeys += agent.keys.length - living.length;
    }
    if (commands.length > 0) transactions.push(redis.transaction(commands));
  }
  const settled = await Promise.allSettled(transactions);
  const failure = settled.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return { keys, expiredKeys };
}

import type { Client } from "pg";
import { agentSchema, agentStateKey } from "../../runner/agents/schema.ts";
import type { RedisLink } from "../../runner/stores/redis/connection.ts";

export interface SeedOptions {
  readonly agents: number;
  /** Tasks and episodes of each. Default 3. */
  readonly events?: number;
  /** Characters of an episode. Default 200. */
  readonly episodeLength?: number;
  /** Characters of the working memory besides its position. Default 300. */
  readonly stateLength?: number;
}

export const agentName = (n: number): string => `agent-${String(n).padStart(6, "0")}`;

/** What `agent:ID:state` holds at a sequence. */
export const stateOf = (n: number, sequence: number, length = 300): string => JSON.stringify({ sequence, lsn: "0/1", goal: `goal of ${agentName(n)} at ${sequence}`, notes: "n".repeat(length) });

/** Agents 1 to `agents`, each at the sequence `events`, as the services would have left them. */
export async function seedAgents(database: Client, redis: RedisLink, { agents, events = 3, episodeLength = 200, stateLength = 300 }: SeedOptions): Promise<void> {
  await database.query(agentSchema);
  await database.query("truncate agents, task_history, episodic_memory, heartbeat");
  await database.query(
    `insert into agents (id, config, status, sequence, lsn, updated_at)
     select 'agent-' || lpad(n::text, 6, '0'), jsonb_build_object('model', 'm' || n, 'temperature', 0.1 * (n % 10), 'big', 12345678901234567890), 'active', $2::bigint, '0/1', '2026-11-22 10:00:00.123456+00'
     from generate_series(1, $1::int) as n`,
    [agents, events],
  );
  await database.query(
    `insert into task_history select 'agent-' || lpad(n::text, 6, '0'), e, 'task ' || e || ' of ' || n, 'done', '2026-11-22 10:00:00.654321+00' from generate_series(1, $1::int) as n, generate_series(1, $2::int) as e`,
    [agents, events],
  );
  await database.query(
    `insert into episodic_memory select 'agent-' || lpad(n::text, 6, '0'), e, 'é"\\' || (select string_agg(md5(concat_ws('/', n, e, part)), ' ') from generate_series(1, ceil($3 / 33.0)::int) as part), '2026-11-22 10:00:00.000001+00' from generate_series(1, $1::int) as n, generate_series(1, $2::int) as e`,
    [agents, events, episodeLength],
  );
  await database.query("analyze");
  const batch = 5_000;
  for (let from = 1; from <= agents; from += batch) {
    const pairs = Array.from({ length: Math.min(batch, agents + 1 - from) }, (_, offset) => [agentStateKey(agentName(from + offset)), stateOf(from + offset, events, stateLength)]);
    await redis.send("MSET", ...pairs.flat());
  }
}

/** Everything that the two stores hold of an agent, in an order of its own: two of them can be compared. */
export async function portraitOf(database: Client, redis: RedisLink, id: string): Promise<unknown> {
  const { rows: agent } = await database.query("select id, config::text, sequence::text, lsn::text from agents where id = $1", [id]);
  const { rows: tasks } = await database.query("select sequence::text, task, outcome, created_at::text from task_history where agent_id = $1 order by sequence", [id]);
  const { rows: episodes } = await database.query("select sequence::text, content, created_at::text from episodic_memory where agent_id = $1 order by sequence", [id]);
  const keys = await redis.send("KEYS", `agent:${id}:*`);
  const names = (Array.isArray(keys) ? keys : []).map(String).sort();
  const values = await Promise.all(names.map(async (key) => [key, await redis.send("DUMP", key).then(String), await redis.send("PEXPIRETIME", key)]));
  return { agent: agent as unknown, tasks: tasks as unknown, episodes: episodes as unknown, values };
}

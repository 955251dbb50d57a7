import type { Client } from "pg";
import { mostAgentsPerBlock, mostBlockBytes } from "./block.ts";

export interface AgentRow {
  readonly id: string;
  /** The agent as a JSON object, without its keys in Redis. */
  readonly line: string;
}

/** Rows per query: a page of big agents must fit into memory. */
const pageLength = 250;

const columns = `
  a.id,
  json_build_object(
    'id', a.id, 'config', a.config::text, 'status', a.status, 'sequence', a.sequence::text, 'lsn', a.lsn::text, 'updatedAt', a.updated_at,
    'tasks', (select coalesce(json_agg(json_build_array(t.sequence::text, t.task, t.outcome, t.created_at) order by t.sequence), '[]') from task_history t where t.agent_id = a.id),
    'episodes', (select coalesce(json_agg(json_build_array(e.sequence::text, e.content, e.created_at) order by e.sequence), '[]') from episodic_memory e where e.agent_id = a.id)
  )::text as line`;
const pageOfAll = `select ${columns} from agents a where a.id > $1 order by a.id limit ${pageLength}`;
const pageOfSome = `select ${columns} from agents a where a.id > $1 and a.id = any($2) order by a.id limit ${pageLength}`;

/** One unchanging view of PostgreSQL for a whole checkpoint. Returns the LSN that the view reaches at least to. */
export async function beginSnapshot(database: Client): Promise<string> {
  await database.query("begin transaction isolation level repeatable read, read only");
  // Where the planner has no statistics yet it takes a page for expensive and compiles each one: 30 times slower.
  await database.query("set local jit = off");
  const { rows } = await database.query<{ lsn: string }>("select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end)::text as lsn");
  return rows[0]?.lsn ?? "0/0";
}

/** How many agents the view holds: for whoever watches. */
export async function countAgents(database: Client): Promise<number> {
  const { rows } = await database.query<{ count: string }>("select count(*)::text as count from agents");
  return Number(rows[0]?.count ?? 0);
}

/** The agents of the view in the order of their ids, cut into blocks. */
export async function* readBlocks(database: Client, only: ReadonlySet<string> | undefined): AsyncGenerator<AgentRow[]> {
  const wanted = only === undefined ? undefined : [...only];
  let last = "";
  let block: AgentRow[] = [];
  let bytes = 0;
  for (;;) {
    const { rows } = wanted === undefined ? await database.query<AgentRow>({ name: "page", text: pageOfAll, values: [last] }) : await database.query<AgentRow>({ name: "page of some", text: pageOfSome, values: [last, wanted] });
    for (const row of rows) {
      if (block.length === mostAgentsPerBlock || (block.length > 0 && bytes + row.line.length > mostBlockBytes)) {
        yield block;
        block = [];
        bytes = 0;
      }
      block.push(row);
      bytes += row.line.length;
      last = row.id;
    }
    if (rows.length < pageLength) break;
  }
  if (block.length > 0) yield block;
}

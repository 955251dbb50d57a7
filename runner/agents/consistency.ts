import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { beginSnapshot } from "./read-postgres.ts";
import { agentKeys } from "./read-redis.ts";
import { agentStateKey, type AgentState } from "./schema.ts";
import { lsnValue, parseAgentState } from "./state.ts";
import { openStores, type AgentStores } from "./stores.ts";

export type Standing = "consistent" | "behind" | "ahead";

/**
 * How an agent's working memory stands to its row. `ahead` means that PostgreSQL lost what Redis has seen: a greater
 * sequence, or an LSN that the whole database has not reached. (Not the row's LSN: the state's is from behind the
 * commit and so always later.) `behind` is what a Redis restored from a snapshot looks like. Pure.
 */
export function standingOf(row: { readonly sequence: bigint }, databaseLsn: string, state: Pick<AgentState, "sequence" | "lsn">): Standing {
  const sequence = BigInt(state.sequence);
  if (sequence > row.sequence || lsnValue(state.lsn) > lsnValue(databaseLsn)) return "ahead";
  return sequence < row.sequence ? "behind" : "consistent";
}

export interface ConsistencyReport {
  /** No agent is ahead, and every working memory can be read. */
  readonly ok: boolean;
  readonly agents: number;
  readonly consistent: number;
  /** Reported, no error: they have forgotten what they did last. */
  readonly behind: readonly string[];
  readonly ahead: readonly string[];
  /** Agents without working memory: none was ever written, or it has expired. */
  readonly withoutState: number;
  /** Working memory of agents that PostgreSQL does not have. */
  readonly withoutRow: readonly string[];
  readonly unreadable: readonly { readonly id: string; readonly error: string }[];
}

/** What is wrong, a sentence each; being behind is not. */
export function memoryFaults({ ahead, unreadable, withoutRow }: ConsistencyReport): string[] {
  return [
    ...(ahead.length === 0 ? [] : [`${ahead.length} agents' working memory is ahead of PostgreSQL (${ahead.slice(0, 3).join(", ")})`]),
    ...(withoutRow.length === 0 ? [] : [`${withoutRow.length} agents are in Redis alone (${withoutRow.slice(0, 3).join(", ")})`]),
    ...(unreadable.length === 0 ? [] : [`the working memory of ${unreadable.length} agents cannot be read (${unreadable.slice(0, 3).map(({ id, error }) => `${id}: ${error}`).join(", ")})`]),
  ];
}

const rowsPerPage = 5_000;

/** Compares every agent's working memory with its row. Redis is read first: what happens meanwhile is no error. */
export async function checkConsistency(context: RunContext): Promise<ConsistencyReport> {
  const stores = await openStores(context, "read");
  try {
    return await compare(stores);
  } finally {
    await stores.close();
  }
}

async function compare(stores: AgentStores): Promise<ConsistencyReport> {
  const { states, unreadable } = await readStates(stores);
  const lsn = await beginSnapshot(stores.database);
  const behind: string[] = [];
  const ahead: string[] = [];
  let agents = 0;
  let consistent = 0;
  let withoutState = 0;
  for (let last = ""; ; ) {
    const { rows } = await stores.database.query<{ id: string; sequence: string }>("select id, sequence::text as sequence from agents where id > $1 order by id limit $2", [last, rowsPerPage]);
    for (const { id, sequence } of rows) {
      agents += 1;
      const state = states.get(id);
      states.delete(id);
      if (state === undefined) withoutState += 1;
      else {
        const standing = standingOf({ sequence: BigInt(sequence) }, lsn, state);
        if (standing === "consistent") consistent += 1;
        else (standing === "ahead" ? ahead : behind).push(id);
      }
      last = id;
    }
    if (rows.length < rowsPerPage) break;
  }
  await stores.database.query("rollback");
  const withoutRow = [...states.keys()].sort();
  return { ok: ahead.length === 0 && withoutRow.length === 0 && unreadable.length === 0, agents, consistent, behind, ahead, withoutState, withoutRow, unreadable };
}

type StatePosition = Pick<AgentState, "sequence" | "lsn">;

async function readStates({ redis }: AgentStores): Promise<{ states: Map<string, StatePosition>; unreadable: { id: string; error: string }[] }> {
  const states = new Map<string, StatePosition>();
  const unreadable = new Map<string, { id: string; error: string }>();
  for await (const keys of agentKeys(redis)) {
    const ids = keys.filter(({ agent, key }) => key === agentStateKey(agent)).map(({ agent }) => agent);
    await Promise.all(
      ids.map(async (id) => {
        try {
          const text = await redis.send("GET", agentStateKey(id));
          if (typeof text !== "string") return; // gone since the scan
          const { sequence, lsn } = parseAgentState(text);
          states.set(id, { sequence, lsn });
        } catch (error) {
          unreadable.set(id, { id, error: messageOf(error) });
        }
      }),
    );
  }
  return { states, unreadable: [...unreadable.values()] };
}

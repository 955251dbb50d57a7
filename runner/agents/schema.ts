/**
 * Where agents live. PostgreSQL holds what must not be lost; Redis holds the working memory at `agent:ID:*`.
 * Each change of an agent counts its sequence up; Redis is written after PostgreSQL has committed, with the sequence
 * of that commit and an LSN behind it, so a Redis that is ahead of PostgreSQL tells of a PostgreSQL that lost
 * something.
 */
export const agentStatuses = ["active", "idle", "paused", "failed", "recovered"] as const;
export type AgentStatus = (typeof agentStatuses)[number];

/** Runs any number of times. */
export const agentSchema = `
create table if not exists agents (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  config jsonb not null,
  status text not null check (status in (${agentStatuses.map((status) => `'${status}'`).join(", ")})),
  sequence bigint not null default 0 check (sequence >= 0),
  lsn pg_lsn,
  updated_at timestamptz not null default clock_timestamp()
);
create table if not exists task_history (
  agent_id text not null references agents (id) on delete cascade,
  sequence bigint not null check (sequence >= 0),
  task text not null,
  outcome text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (agent_id, sequence)
);
create table if not exists episodic_memory (
  agent_id text not null references agents (id) on delete cascade,
  sequence bigint not null check (sequence >= 0),
  content text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (agent_id, sequence)
);
create table if not exists heartbeat (
  sequence bigint primary key,
  written_at timestamptz not null default clock_timestamp(),
  writer text not null default ''
);
`;

/** Every key of an agent starts so; nothing else may follow the id but `:`. */
export const agentKeyPrefix = (id: string): string => `agent:${id}:`;
/** Working memory: the JSON text of an `AgentState`. */
export const agentStateKey = (id: string): string => `${agentKeyPrefix(id)}state`;

/** The agent that a key belongs to; `undefined` for keys of others. An id holds no `:`. */
export function agentOfKey(key: string): string | undefined {
  return /^agent:([^:]+):/.exec(key)?.[1];
}

/** What `agent:ID:state` holds, beside whatever the agent itself keeps there. */
export interface AgentState {
  readonly sequence: number;
  /** A position of PostgreSQL's log behind the commit that this state belongs to; so never before the row's own. */
  readonly lsn: string;
  readonly [more: string]: unknown;
}

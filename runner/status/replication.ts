import type { Client } from "pg";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { withPostgres } from "../stores/postgres/connection.ts";

export interface ReplicaLag {
  /** `a2`, or `this replica`. */
  readonly standby: string;
  /** `sync`, `async`, `quorum` or `potential`; of a replica that was asked itself, `replica`. */
  readonly mode: string;
  /** Absent where the replica receives nothing, so that nobody can say it. */
  readonly seconds?: number;
}

/** What the configured PostgreSQL says of its replication. */
export interface Replication {
  readonly role?: "leader" | "replica";
  /** Why it could not be asked. */
  readonly error?: string;
  readonly lags: readonly ReplicaLag[];
}

/** Without a lag of its own, a standby has caught up and the leader is idle. */
const ofLeader = `select application_name as standby, sync_state as mode, coalesce(extract(epoch from replay_lag), 0)::float8 as seconds
from pg_stat_replication where state in ('streaming', 'catchup') order by 1`;
const ofReplica = `select 'this replica' as standby, 'replica' as mode, case
  when not exists (select from pg_stat_wal_receiver where status = 'streaming') then null
  when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
  else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end::float8 as seconds`;

async function ask(client: Client): Promise<Replication> {
  const { rows: [server] } = await client.query<{ replica: boolean }>("select pg_is_in_recovery() as replica");
  const replica = server?.replica === true;
  const { rows } = await client.query<{ standby: string; mode: string; seconds: number | null }>(replica ? ofReplica : ofLeader);
  return { role: replica ? "replica" : "leader", lags: rows.map(({ seconds, ...row }) => ({ ...row, ...(seconds === null ? {} : { seconds }) })) };
}

/** `undefined` where this run has no server of its own: a recovery, or a host without PostgreSQL. */
export async function readReplication(context: RunContext): Promise<Replication | undefined> {
  return context.config.postgres === undefined || context.config.readOnly ? undefined : askReplication(context);
}

/** Asks the configured server, whatever else this run may do. */
export async function askReplication(context: RunContext): Promise<Replication> {
  try {
    return await withPostgres(context, ask);
  } catch (error) {
    context.signal.throwIfAborted();
    return { error: messageOf(error), lags: [] };
  }
}

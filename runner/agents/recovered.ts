/** Agents in servers that were recovered, in production's place. */
import { servicesDatabase } from "../../plan/secrets.ts";
import { runnerConfigSchema } from "../config.ts";
import type { RunContext } from "../context.ts";
import { connectTo } from "../stores/postgres/connection.ts";

export interface RecoveredServers {
  readonly postgres: { readonly socketDirectory: string; readonly port: number };
  readonly redis: { readonly socket: string };
}

/** The run with the recovered servers in production's place. */
export function recoveredAs(context: RunContext, { postgres, redis }: RecoveredServers): RunContext {
  const config = runnerConfigSchema.parse({ ...context.config, postgres: { host: postgres.socketDirectory, port: postgres.port, user: "postgres", database: context.config.postgres?.database ?? servicesDatabase(context.plan) }, redis: { socket: redis.socket } });
  return { ...context, config };
}

/** Whether PostgreSQL has a table of agents at all. */
export async function hasAgents({ config: { postgres } }: RunContext): Promise<boolean> {
  if (postgres === undefined) return false;
  const connect = (database: string) => connectTo({ host: postgres.host, port: postgres.port, user: postgres.user, database });
  const system = await connect("postgres");
  const { rowCount } = await system.query("SELECT FROM pg_database WHERE datname = $1", [postgres.database]).finally(() => system.end());
  if (rowCount === 0) return false;
  const client = await connect(postgres.database);
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass('agents') IS NOT NULL AS there").finally(() => client.end());
  return rows[0]?.there === true;
}

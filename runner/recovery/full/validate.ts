import { servicesDatabase } from "../../../plan/secrets.ts";
import { checkConsistency } from "../../agents/consistency.ts";
import { runnerConfigSchema } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { connectTo } from "../../stores/postgres/connection.ts";
import { vectorsWatermark } from "../../stores/vectors/watermark.ts";
import { vaultWatermark } from "../../stores/vault/watermark.ts";
import type { StoreSource } from "./sources.ts";
import type { Places } from "./stores.ts";

/**
 * Whether the recovered stores fit each other. A Redis that is ahead of PostgreSQL is an error: it knows what never
 * happened. One that is behind has forgotten the last minutes, which is told.
 * @throws DrError where services must not start
 */
export async function validate(context: RunContext, stores: readonly StoreSource[], places: Places): Promise<string> {
  const has = (store: StoreSource["store"]): boolean => stores.some((one) => one.store === store);
  const seen: string[] = [];
  if (has("postgres") && has("redis")) seen.push(await agentsFit(context, places));
  if (has("vault") && context.config.vault?.server !== undefined) seen.push(`Vault answers, as of ${(await vaultWatermark(context)).time}`);
  if (has("vectors") && context.config.vectors !== undefined) seen.push(`the vectors can be read, as of ${(await vectorsWatermark(context)).time}`);
  return seen.length === 0 ? "each store was checked as it was recovered; there is nothing to hold against each other" : seen.join("; ");
}

async function agentsFit(context: RunContext, places: Places): Promise<string> {
  const recovered = recoveredAs(context, places);
  if (!(await hasAgents(recovered))) return "PostgreSQL has no table of agents: there is nothing to hold Redis against";
  const { agents, consistent, behind, ahead, withoutRow, unreadable } = await checkConsistency(recovered);
  const wrong = [
    ...(ahead.length === 0 ? [] : [`${ahead.length} agents' working memory is ahead of PostgreSQL (${ahead.slice(0, 3).join(", ")})`]),
    ...(withoutRow.length === 0 ? [] : [`${withoutRow.length} agents are in Redis alone (${withoutRow.slice(0, 3).join(", ")})`]),
    ...(unreadable.length === 0 ? [] : [`the working memory of ${unreadable.length} agents cannot be read (${unreadable.slice(0, 3).map(({ id, error }) => `${id}: ${error}`).join(", ")})`]),
  ];
  if (wrong.length > 0) throw new DrError({ kind: "failed", what: `the recovered stores do not fit each other: ${wrong.join("; ")}`, where: places.redis.socket, todo: "Recover Redis from an older snapshot (`dr recover redis --at`), or these agents one by one (`dr recover agent`); then start this again. No service was started." });
  return `${agents} agents: ${consistent} as PostgreSQL has them, ${behind.length} behind it`;
}

/** The run with the recovered servers in production's place. */
function recoveredAs(context: RunContext, { postgres, redis }: Places): RunContext {
  const parsed = runnerConfigSchema.parse({ ...context.config, postgres: { host: postgres.socketDirectory, port: postgres.port, user: "postgres", database: context.config.postgres?.database ?? servicesDatabase(context.plan) }, redis: { socket: redis.socket } });
  return { ...context, config: parsed };
}

async function hasAgents({ config: { postgres } }: RunContext): Promise<boolean> {
  if (postgres === undefined) return false;
  const connect = (database: string) => connectTo({ host: postgres.host, port: postgres.port, user: postgres.user, database });
  const system = await connect("postgres");
  const { rowCount } = await system.query("SELECT FROM pg_database WHERE datname = $1", [postgres.database]).finally(() => system.end());
  if (rowCount === 0) return false;
  const client = await connect(postgres.database);
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass('agents') IS NOT NULL AS there").finally(() => client.end());
  return rows[0]?.there === true;
}

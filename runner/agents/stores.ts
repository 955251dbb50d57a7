import type { Client } from "pg";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { openPostgres } from "../stores/postgres/connection.ts";
import { choosePrimary, chooseServer, refuseStale } from "../stores/redis/choose-server.ts";
import type { RedisLink } from "../stores/redis/connection.ts";

/** The two stores that an agent lives in, connected. Whoever opens them closes them. */
export interface AgentStores {
  readonly database: Client;
  readonly redis: RedisLink;
  close(): Promise<void>;
}

/**
 * Connects both, PostgreSQL first. `write`: a recovery needs Redis's primary; a checkpoint may read a replica of it, as
 * what the agents' working memory lacks then is a second's, and PostgreSQL is never behind it.
 */
export async function openStores(context: RunContext, work: "read" | "write"): Promise<AgentStores> {
  if (context.config.postgres === undefined) throw new DrError({ kind: "usage", what: "the configuration names no PostgreSQL", where: "postgres", todo: "Add `postgres`: agents live in it and in Redis." });
  const database = await openPostgres(context);
  const redis = await openRedis(context, database, work).catch(async (error: unknown) => {
    await database.end().catch(() => undefined); // the other one's error is told
    throw error;
  });
  const abort = () => void database.end().catch(() => undefined); // the query that is under way rejects
  context.signal.addEventListener("abort", abort, { once: true });
  return {
    database,
    redis,
    close: async () => {
      context.signal.removeEventListener("abort", abort);
      redis.close();
      await database.end().catch(() => undefined); // broken already: its query has told
    },
  };
}

async function openRedis(context: RunContext, database: Client, work: "read" | "write"): Promise<RedisLink> {
  await database.query("set timezone = 'UTC'");
  const login = context.config.redis?.agents;
  if (work === "write") return (await choosePrimary(context, login)).link;
  const chosen = await chooseServer(context, login);
  try {
    refuseStale(chosen);
    return chosen.link;
  } catch (error) {
    chosen.link.close();
    throw error;
  }
}

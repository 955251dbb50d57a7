import { Client } from "pg";
import { readSecret, type PostgresConfig } from "../config.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { connectRedis, redisOf, type RedisLink } from "../stores/redis/connection.ts";

/** The two stores that an agent lives in, connected. Whoever opens them closes them. */
export interface AgentStores {
  readonly database: Client;
  readonly redis: RedisLink;
  close(): Promise<void>;
}

const connectDeadline = 10_000; // ms

export async function openStores(context: RunContext): Promise<AgentStores> {
  const { postgres } = context.config;
  if (postgres === undefined) throw new DrError({ kind: "usage", what: "the configuration names no PostgreSQL", where: "postgres", todo: "Add `postgres`: agents live in it and in Redis." });
  const redis = await connectRedis({ ...redisOf(context), ...context.config.redis?.agents }, context.signal);
  let database: Client;
  try {
    database = await connectDatabase(postgres);
  } catch (error) {
    redis.close();
    throw error;
  }
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

async function connectDatabase(config: PostgresConfig): Promise<Client> {
  const { host, port, user, database, passwordFile } = config;
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile, "the password of PostgreSQL");
  const client = new Client({ host, port, user, database, application_name: "dr agents", connectionTimeoutMillis: connectDeadline, ...(password === undefined ? {} : { password }) });
  client.on("error", () => undefined); // the query that is under way rejects with the same error
  try {
    await client.connect();
    await client.query("set timezone = 'UTC'");
    return client;
  } catch (cause) {
    await client.end().catch(() => undefined); // it never was open
    throw new DrError({ kind: "unavailable", what: `PostgreSQL does not answer: ${messageOf(cause)}`, where: `${host}:${port}/${database} as ${user}`, todo: "Start the server, or correct `postgres` in the configuration.", cause });
  }
}

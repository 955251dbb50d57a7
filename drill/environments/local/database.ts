import { Client } from "pg";
import { agentSchema } from "../../../runner/agents/schema.ts";
import { waitFor, type WaitOptions } from "../../../runner/system/wait.ts";
import type { Member } from "./layout.ts";

/** The database of the services, and the role that owns it. */
export const databaseName = "blackroad";
export const appRole = "blackroad_app";

/** A connection over the Unix socket, where the accounts of this machine are the superuser. Whoever connects ends it. */
export async function connectLocally({ socketDirectory, postgresPort }: Pick<Member, "socketDirectory" | "postgresPort">, database = "postgres"): Promise<Client> {
  const client = new Client({ host: socketDirectory, port: postgresPort, user: "postgres", database, connectionTimeoutMillis: 5_000, query_timeout: 30_000 });
  client.on("error", () => undefined); // the query that is under way rejects with the same error
  await client.connect();
  return client;
}

export async function withDatabase<T>(member: Member, database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectLocally(member, database);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes the services' role and database with the agents' tables, on the leader. */
export async function createDatabase(leader: Member, password: string): Promise<void> {
  await withDatabase(leader, "postgres", async (client) => {
    await client.query(`create role ${appRole} login password ${client.escapeLiteral(password)}`);
    await client.query(`create database ${databaseName} owner ${appRole}`);
  });
  await withDatabase(leader, databaseName, async (client) => {
    await client.query(`set role ${appRole}`);
    await client.query(agentSchema);
  });
}

/** Waits until both standbys stream from the leader, each in its mode. */
export async function waitForStandbys(leader: Member, { synchronous, asynchronous }: { readonly synchronous: string; readonly asynchronous: string }, wait: WaitOptions): Promise<void> {
  const client = await connectLocally(leader);
  try {
    const look = async () => {
      const { rows } = await client.query<{ name: string; state: string; mode: string }>("select application_name as name, state, sync_state as mode from pg_stat_replication");
      const streaming = rows.filter(({ state }) => state === "streaming");
      return streaming.some(({ name, mode }) => name === synchronous && mode === "sync") && streaming.some(({ name, mode }) => name === asynchronous && mode !== "sync");
    };
    await waitFor(`${synchronous} as the synchronous and ${asynchronous} as the asynchronous standby of ${leader.name}`, look, wait);
  } finally {
    await client.end();
  }
}

import { Client } from "pg";
import { agentSchema } from "../../../runner/agents/schema.ts";
import { waitFor } from "../../../runner/system/wait.ts";
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

/** Waits until the leader reports `standby` as its synchronous one. */
export async function waitForSynchronous(leader: Member, standby: string, within: number, signal?: AbortSignal): Promise<void> {
  const client = await connectLocally(leader);
  try {
    const look = async () => (await client.query("select 1 from pg_stat_replication where application_name = $1 and state = 'streaming' and sync_state = 'sync'", [standby])).rowCount === 1;
    await waitFor(`${standby} as the synchronous standby of ${leader.name}`, look, { within, ...(signal === undefined ? {} : { signal }) });
  } finally {
    await client.end();
  }
}

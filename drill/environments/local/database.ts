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

interface Standby {
  readonly name: string;
  readonly mode: string;
}

/** Waits until the standbys that stream from the leader are as `enough` wants them. */
async function waitForStreaming(leader: Member, awaited: string, enough: (standbys: readonly Standby[]) => boolean, wait: WaitOptions): Promise<void> {
  const client = await connectLocally(leader);
  try {
    await waitFor(awaited, async () => enough((await client.query<Standby>("select application_name as name, sync_state as mode from pg_stat_replication where state = 'streaming'")).rows), wait);
  } finally {
    await client.end();
  }
}

const isSynchronous = (standbys: readonly Standby[], wanted: string): boolean => standbys.some(({ name, mode }) => name === wanted && mode === "sync");

/** Waits until the leader reports `standby` as its synchronous one; seconds. */
export function waitForSynchronous(leader: Member, standby: string, within: number, signal?: AbortSignal): Promise<void> {
  return waitForStreaming(leader, `${standby} as the synchronous standby of ${leader.name}`, (standbys) => isSynchronous(standbys, standby), { within, ...(signal === undefined ? {} : { signal }) });
}

/** Waits until both standbys stream from the leader, each in its mode. */
export function waitForStandbys(leader: Member, { synchronous, asynchronous }: { readonly synchronous: string; readonly asynchronous: string }, wait: WaitOptions): Promise<void> {
  const both = (standbys: readonly Standby[]) => isSynchronous(standbys, synchronous) && standbys.some(({ name, mode }) => name === asynchronous && mode !== "sync");
  return waitForStreaming(leader, `${synchronous} as the synchronous and ${asynchronous} as the asynchronous standby of ${leader.name}`, both, wait);
}

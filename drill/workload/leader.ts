import { readFile } from "node:fs/promises";
import { Client } from "pg";
import type { WriterConfig } from "./writer-config.ts";

/** Milliseconds that a health path, a connection and a statement may take; a hung server is given up then. */
const healthTimeout = 1_000;
const connectTimeout = 2_000;
const statementTimeout = 5_000;

export interface PostgresPlace {
  readonly name: string;
  readonly port: number;
}

/** Asks every member's Patroni, as HAProxy does: the one that leads says 200 to `/primary`. */
export async function findLeader({ members }: WriterConfig["postgres"]): Promise<PostgresPlace | undefined> {
  const answers = await Promise.all(
    members.map(({ restPort }) =>
      fetch(`http://127.0.0.1:${restPort}/primary`, { signal: AbortSignal.timeout(healthTimeout) }).then(
        async (answer) => {
          await answer.body?.cancel();
          return answer.ok;
        },
        () => false, // nobody there
      ),
    ),
  );
  return members.find((_, index) => answers[index]);
}

/** A connection that rejects what is under way when it breaks, and never waits for ever. Whoever connects ends it. */
export async function connectTo({ port }: PostgresPlace, { database, user, passwordFile }: WriterConfig["postgres"]): Promise<Client> {
  const password = (await readFile(passwordFile, "utf8")).trim();
  const client = new Client({ host: "127.0.0.1", port, database, user, password, application_name: "workload", connectionTimeoutMillis: connectTimeout, query_timeout: statementTimeout });
  client.on("error", () => undefined); // the statement that is under way rejects with the same error
  try {
    await client.connect();
  } catch (error) {
    abandon(client);
    throw error;
  }
  return client;
}

/** Ends a connection without waiting for its server, which may be gone. */
export function abandon(client: Client): void {
  client.end().catch(() => undefined); // it is being thrown away because it is broken
}

import pg from "pg";
import { readSecret, type PostgresConfig } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";

/** Seconds until a server must have answered the first time. */
const connectTimeout = 10;

export function postgresConfigOf({ config }: RunContext): PostgresConfig {
  if (config.postgres !== undefined) return config.postgres;
  throw new DrError({ kind: "usage", what: "the configuration says nothing about PostgreSQL", where: "postgres in the configuration", todo: "Add `postgres: { dataDirectory, host, port }`." });
}

export interface Address {
  /** A host, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly database?: string;
  readonly password?: string;
  /** In PEM: encrypt, and believe only a server whose certificate it signed. */
  readonly authority?: string;
}

/** Opens a connection; whoever opens it ends it. */
export async function connectTo(address: Address): Promise<pg.Client> {
  const { authority, ...rest } = address;
  const ssl = authority === undefined ? {} : { ssl: { ca: authority, minVersion: "TLSv1.2" as const } };
  const client = new pg.Client({ user: "postgres", database: "postgres", ...rest, ...ssl, application_name: "dr", connectionTimeoutMillis: connectTimeout * 1_000 });
  // A connection that breaks between two queries is seen by the next query; without a listener Node would end.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw new DrError({ kind: "unavailable", what: `PostgreSQL does not take the connection: ${messageOf(cause)}`, where: `${address.host}:${address.port}`, todo: "Start it, or correct `postgres` in the configuration.", cause });
  }
}

/** A connection to the configured server; whoever opens it ends it. */
export async function openPostgres(context: RunContext): Promise<pg.Client> {
  const { host, port, user, database, passwordFile, caFile } = postgresConfigOf(context);
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile, "the password of PostgreSQL");
  const authority = caFile === undefined ? undefined : await readSecret(caFile, "the authority of PostgreSQL's certificate");
  return connectTo({ host, port, user, database, ...(password === undefined ? {} : { password }), ...(authority === undefined ? {} : { authority }) });
}

/** Does `work` over a connection to the configured server. */
export async function withPostgres<T>(context: RunContext, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openPostgres(context);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The first column of the only row. */
export async function queryValue(client: pg.Client, sql: string, parameters: readonly unknown[] = []): Promise<string> {
  const { rows } = await client.query<Record<string, unknown>>(sql, [...parameters]);
  const value = Object.values(rows[0] ?? {})[0];
  if (value === undefined || value === null) throw new DrError({ kind: "failed", what: `the query gave nothing: ${sql}`, where: "PostgreSQL", todo: "Look at its log." });
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether the configured server takes writes, i.e. the leader is here. */
export const isLeader = (client: pg.Client): Promise<boolean> => queryValue(client, "SELECT (NOT pg_is_in_recovery())::text").then((value) => value === "true");

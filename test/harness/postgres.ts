import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { PostgresConfig } from "../../runner/config.ts";
import { makeFolder } from "../../runner/system/files.ts";
import { run, startServer, type Server } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { waitFor } from "../../runner/system/wait.ts";

/** A small real PostgreSQL on a socket, without fsync: it lives as long as a test. */
export interface TestPostgres {
  readonly server: Server;
  readonly config: PostgresConfig;
  /** Whoever connects ends. */
  connect(): Promise<Client>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestPostgresOptions {
  readonly folder: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** A replica, of nobody: it takes no writes and waits. */
  readonly standby?: boolean;
}

export async function startTestPostgres({ folder, settings = {}, standby = false }: TestPostgresOptions): Promise<TestPostgres> {
  const user = databaseUser();
  await makeFolder(folder, { mode: 0o755, owner: user });
  const dataDirectory = await makeFolder(join(folder, "data"), { owner: user });
  const host = await makeFolder(join(folder, "socket"), { owner: user });
  const options = { user, cwd: folder, deadline: 120 };
  await run(await findProgram("initdb"), ["--pgdata", dataDirectory, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"], options);
  if (standby) await writeFile(join(dataDirectory, "standby.signal"), "");
  const all = { listen_addresses: "", unix_socket_directories: host, port: "5432", fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_wal_size: "4GB", shared_buffers: "256MB", ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = await startServer("postgres of a test", await findProgram("postgres"), ["-D", dataDirectory, ...args], { user, cwd: folder, logFile: join(folder, "postgres.log") });
  const config: PostgresConfig = { stanza: "main", dataDirectory, host, port: 5432, user: "postgres", database: "postgres" };
  const connect = async () => {
    const client = new Client({ host, port: 5432, user: "postgres", database: "postgres" });
    client.on("error", () => undefined); // the test kills the server
    await client.connect();
    return client;
  };
  await waitFor("the test's PostgreSQL", async () => (await connect()).end().then(() => true), { within: 30, every: 0.05 }).catch(async (error: unknown) => {
    await server.kill();
    throw error;
  });
  return { server, config, connect, kill: () => server.kill(), stop: () => server.stop({ signal: "SIGINT" }) };
}

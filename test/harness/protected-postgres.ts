import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { startRelay, type Relay } from "../../drill/environments/relay.ts";
import type { S3Server } from "../../drill/environments/servers/s3.ts";
import { blackroad } from "../../plan/blackroad.ts";
import type { Plan } from "../../plan/types.ts";
import { mib, seconds } from "../../plan/units.ts";
import type { RunnerConfig, S3BackendConfig } from "../../runner/config.ts";
import { writeArchiverConf } from "../../runner/stores/postgres/archiver.ts";
import { initialisePostgres } from "../../runner/stores/postgres/initialise.ts";
import { stopIsolated } from "../../runner/recovery/isolated-server.ts";
import type { Recovery } from "../../runner/stores/postgres/recover.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { testContext, type TestContext } from "./context.ts";
import { startTestPostgres, type TestPostgres } from "./postgres.ts";
import { s3Config, Stores } from "./stores.ts";
import { temporaryFolder } from "./temporary.ts";

/** The shipped plan, but an idle segment is closed after a second. */
export const testPlan: Plan = { ...blackroad, postgres: { ...blackroad.postgres, archiveTimeout: seconds(1), walSegment: mib(16) } };

export interface ProtectedPostgres {
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly context: TestContext;
  readonly stores: Readonly<Record<"r2" | "s3", S3Server>>;
  /** What stands before each store: it can refuse. */
  readonly relays: Readonly<Record<"r2" | "s3", Relay>>;
  readonly backends: readonly S3BackendConfig[];
  /** A connection that the harness ends. */
  readonly client: Client;
  /** Another run over the same stores, e.g. with a wrong key. */
  other(name: string, config?: Partial<Pick<RunnerConfig, "backends" | "postgres" | "redis" | "readOnly">>): Promise<TestContext>;
  /** A directory that PostgreSQL's user can fill. */
  place(name: string): string;
  /** Stops a recovered server. */
  drop(recovery: Recovery): Promise<void>;
  close(): Promise<void>;
}

/** A PostgreSQL that archives into two S3 stores over TLS, ready for its first backup; `s3` may keep versions. */
export async function startProtectedPostgres(name: string, options: Parameters<Stores["s3"]>[1] = {}): Promise<ProtectedPostgres> {
  const temporary = await temporaryFolder(name);
  const folder = temporary.path;
  const undo: (() => Promise<unknown>)[] = [() => temporary.remove()];
  const close = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    const stores = await Stores.open();
    undo.push(() => stores.close());
    await chmod(stores.folder, 0o711); // pgBackRest reads the authority as PostgreSQL's user
    const servers = { r2: await stores.s3("r2"), s3: await stores.s3("s3", options) };
    const relays = { r2: await startRelay({ listen: "127.0.0.1:0", to: `127.0.0.1:${servers.r2.port}` }), s3: await startRelay({ listen: "127.0.0.1:0", to: `127.0.0.1:${servers.s3.port}` }) };
    undo.push(() => relays.r2.close(), () => relays.s3.close());
    const backends = await Promise.all((["r2", "s3"] as const).map(async (backend) => {
      const cipherPassFile = join(folder, `${backend}.pass`);
      await writeDurably(cipherPassFile, `passphrase of ${backend}\n`, { mode: 0o600 });
      return s3Config(servers[backend], { name: backend, endpoint: `localhost:${relays[backend].port}`, pgbackrest: { path: "/pgbackrest", cipherPassFile } });
    }));
    const config = { stanza: "main", dataDirectory: join(folder, "pg", "data"), host: join(folder, "pg", "socket"), port: 5432, user: "postgres", database: "postgres" };
    const other: ProtectedPostgres["other"] = async (part, changes = {}) => {
      const made = await testContext({ folder: join(folder, part), plan: testPlan, config: { backends: [...backends], postgres: config, ...changes } });
      await makeFolder(made.config.workDirectory, { mode: 0o711, owner: databaseUser() });
      return made;
    };
    const context = await other("run");
    undo.push(() => {
      context.close();
      return Promise.resolve();
    });
    const postgres = await startTestPostgres({ folder: join(folder, "pg"), settings: { archive_mode: "on", archive_command: await writeArchiverConf(context), archive_timeout: "1s", wal_level: "replica", synchronous_commit: "on", shared_buffers: "64MB" } });
    undo.push(() => postgres.kill());
    const client = await postgres.connect();
    undo.push(() => client.end().catch(() => undefined));
    const { repositories } = await initialisePostgres(context);
    for (const one of repositories) if (!one.ok) throw new Error(`${one.repository} is not ready: ${one.error}`);
    return {
      folder, postgres, context, stores: servers, relays, backends, client, other, close,
      place: (part) => join(folder, part),
      drop: (recovery) => stopIsolated({ ...recovery, owner: databaseUser(), hbaFile: "", promote: true }, "immediate"),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

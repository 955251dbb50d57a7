import { join } from "node:path";
import type { Client } from "pg";
import { expect } from "vitest";
import { writeArchiverConf } from "../../runner/stores/postgres/archiver.ts";
import { initialisePostgres } from "../../runner/stores/postgres/initialise.ts";
import type { RedisLink } from "../../runner/stores/redis/connection.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { seedAgents } from "./agents.ts";
import { testContext, type TestContext, type TestContextOptions } from "./context.ts";
import { startTestPostgres, type TestPostgres } from "./postgres.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";
import { temporaryFolder } from "./temporary.ts";

export interface ProtectedSystem {
  /** Everything of it lies below; also for what a test recovers. */
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly redis: TestRedis;
  readonly client: Client;
  readonly link: RedisLink;
  readonly context: TestContext;
  close(): Promise<void>;
}

/** A PostgreSQL that archives into two folders, and a Redis beside it, with agents in both. */
export async function startProtectedSystem(name: string, agents: number, more: TestContextOptions["config"] = {}): Promise<ProtectedSystem> {
  const folder = await temporaryFolder(name);
  const undo: (() => unknown)[] = [() => folder.remove()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const backends = await Promise.all(["r2", "s3"].map(async (backend) => {
      const cipherPassFile = join(folder.path, `${backend}.pass`);
      await writeDurably(cipherPassFile, `passphrase of ${backend}\n`, { mode: 0o600 });
      return { kind: "folder" as const, name: backend, path: await makeFolder(join(folder.path, backend), { mode: 0o755 }), pgbackrest: { path: "/pgbackrest", cipherPassFile } };
    }));
    const redis = await startTestRedis({ folder: await makeFolder(join(folder.path, "redis")) });
    undo.push(() => redis.kill());
    const config: TestContextOptions["config"] = {
      backends,
      redis: { ...redis.address("backup"), agents: { user: "recovery", passwordFile: redis.address("recovery").passwordFile } },
      postgres: { stanza: "main", dataDirectory: join(folder.path, "pg", "data"), host: join(folder.path, "pg", "socket"), port: 5432, user: "postgres", database: "postgres" },
      ...more,
    };
    const context = await testContext({ folder: join(folder.path, "run"), config });
    undo.push(() => context.close());
    await makeFolder(context.config.workDirectory, { mode: 0o711, owner: databaseUser() });
    const postgres = await startTestPostgres({ folder: join(folder.path, "pg"), settings: { archive_mode: "on", archive_command: await writeArchiverConf(context), archive_timeout: "1s", wal_level: "replica", synchronous_commit: "on", shared_buffers: "64MB" } });
    undo.push(() => postgres.kill());
    const client = await postgres.connect();
    undo.push(() => client.end().catch(() => undefined)); // a test kills its server
    const link = await redis.connect();
    undo.push(() => link.close());
    await seedAgents(client, link, { agents });
    expect(await initialisePostgres(context)).toEqual({ repositories: [{ repository: "r2", ok: true }, { repository: "s3", ok: true }] });
    return { folder: folder.path, postgres, redis, client, link, context, close };
  } catch (error) {
    await close();
    throw error;
  }
}

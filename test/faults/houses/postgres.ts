import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { writeArchiverConf } from "../../../runner/stores/postgres/archiver.ts";
import { initialisePostgres } from "../../../runner/stores/postgres/initialise.ts";
import { ObjectBucket } from "../../../runner/stores/objects/bucket.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { seedAgents } from "../../harness/agents.ts";
import { startTestPostgres } from "../../harness/postgres.ts";
import { startTestRedis } from "../../harness/redis.ts";
import { s3Config } from "../../harness/stores.ts";
import { marker, type House, type Job } from "../job.ts";
import { backendsOf, openHouse, type Site } from "./site.ts";

const agents = 400;
const rows = 20_000;

/** PostgreSQL, and Redis beside it, of the same agents; what needs both is killed here too. */
export async function postgresHouse(site: Site): Promise<House> {
  const name = "postgres";
  const folder = await makeFolder(join(site.folder, "houses", name), { mode: 0o711 });
  await chmod(join(site.folder, "houses"), 0o711);
  const redis = await startTestRedis({ folder: await makeFolder(join(site.folder, "redis-of-agents")) });
  const link = await redis.connect();
  const undo: (() => unknown)[] = [() => redis.kill(), () => link.close()];
  const places = await backendsOf(site, name);
  // In folders one repository is enough: they are written one after the other.
  const backends = await Promise.all((site.inFolders ? places.slice(0, 1) : places).map(async (backend) => {
    const cipherPassFile = join(folder, `${backend.name}.pass`);
    await writeDurably(cipherPassFile, `passphrase of ${backend.name}\n`, { mode: 0o600 });
    return { ...backend, pgbackrest: { path: "/pgbackrest", cipherPassFile } };
  }));
  const place = join(site.folder, "postgres");
  const source = { prefix: "objects-of-all" };
  const { endpoint, region, bucket, caFile, writerCredentialsFile: credentialsFile } = site.r2;
  const services = await ObjectBucket.open(s3Config(site.r2, { name: "source", ...source }));
  undo.push(() => services.close());
  const config = {
    backends,
    postgres: { stanza: "main", dataDirectory: join(place, "data"), host: join(place, "socket"), port: 5432, user: "postgres", database: "postgres" },
    redis: { ...redis.address("backup"), agents: { user: "recovery", passwordFile: redis.address("recovery").passwordFile } },
    ...(site.inFolders ? {} : { objects: { endpoint, region, bucket, ...source, caFile, credentialsFile } }), // they are copied to a bucket
  };
  return openHouse(site, {
    name, undo, config,
    jobs: async (context) => {
      const postgres = await startTestPostgres({ folder: place, settings: { archive_mode: "on", archive_command: await writeArchiverConf(context), archive_timeout: "1s", wal_level: "replica", synchronous_commit: "on", shared_buffers: "64MB" } });
      undo.push(() => postgres.kill());
      const client = await postgres.connect();
      undo.push(() => client.end().catch(() => undefined)); // its server is killed next
      await seedAgents(client, link, { agents });
      await client.query("create table filled as select n as id, $1 || ' ' || md5(n::text) as text from generate_series(1, $2::int) as n", [marker, rows]);
      for (const { repository, ...state } of (await initialisePostgres(context)).repositories) if (!state.ok) throw new Error(`${repository} is not ready: ${state.error}`);
      let runs = 0;
      const change = async (): Promise<void> => {
        runs += 1;
        await client.query("insert into filled select $1, $2 || repeat('x', 1000) from generate_series(1, 50)", [rows + runs, marker]);
        await link.send("SET", "runs", `${marker} ${runs}`);
        await services.put(`run-${runs}`, Buffer.from(`${marker} ${runs}`));
      };
      const backUp = (kind: string): Job => ({ store: "postgres", name: `postgres ${kind}`, command: ["backup", "postgres", kind], makes: { store: "postgres", kind }, change });
      return [
        backUp("full"), backUp("diff"), backUp("incremental"),
        { store: "agents", name: "agents checkpoint", command: ["backup", "agents", "checkpoint"], makes: { store: "agents", kind: "checkpoint" }, change },
        { store: "all", name: "backup all", command: ["backup", "all"], makes: { store: "system", kind: "recovery-point" }, change },
      ];
    },
  });
}

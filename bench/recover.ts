import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { mibPerSecond, formatDuration, formatSize } from "../plan/units.ts";
import { run } from "../runner/system/process.ts";
import { databaseUser } from "../runner/system/user.ts";
import { makeFolder } from "../runner/system/files.ts";
import { waitFor } from "../runner/system/wait.ts";
import { secondsSince } from "../runner/system/clock.ts";
import { stopIsolated } from "../runner/recovery/isolated-server.ts";
import { backUpPostgres } from "../runner/stores/postgres/back-up.ts";
import { openRepository, repositoriesOf } from "../runner/stores/postgres/repositories.ts";
import { createRestorePoint } from "../runner/stores/postgres/restore-point.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../test/harness/protected-postgres.ts";
import type { BenchRow } from "./row.ts";

/** The figures of issue 3. */
const ratioLimit = 1.1;
const leastByHand = 30;
/** The store's pace, so that the figure is the network's and not that of this machine's other work. */
const storeRate = mibPerSecond(40);
/** Rows of about 1 KiB that do not compress. */
const rows = 1_400_000;
/** Seconds; far above what it takes, as a bench ends by its figures and not by a clock. */
const deadline = 1_200;

/** `dr recover postgres` to promoted, against `pgbackrest restore` and a start by hand, on the same store. */
export async function benchRecover(): Promise<BenchRow[]> {
  const system = await startProtectedPostgres("bench-recover");
  try {
    const bytes = await prepare(system);
    const config = join(system.folder, "config.json");
    await writeFile(config, JSON.stringify({ ...system.context.config, readOnly: true }));
    // In both orders, so that what warms up or fills up counts for both.
    const byHand = [await recoverByHand(system)];
    const byDr = [await recoverByDr(system, config), await recoverByDr(system, config)];
    byHand.push(await recoverByHand(system));
    const [hand, dr] = [mean(byHand), mean(byDr)];
    const isLong = hand >= leastByHand;
    const ratio = dr / hand;
    return [{
      what: `\`dr recover postgres\` to promoted, ${formatSize(bytes)} through ${formatSize(storeRate)}/s`,
      against: `\`pgbackrest restore\` and start by hand (${formatDuration(hand)}${isLong ? "" : `, which is less than ${leastByHand} s`})`,
      reach: `≤ ${ratioLimit.toFixed(2)}`,
      measured: `${ratio.toFixed(3)} (${formatDuration(dr)})`,
      ok: isLong && ratio <= ratioLimit,
    }];
  } finally {
    await system.close();
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A database, its full backup, and some WAL after it; returns the database's size in bytes. */
async function prepare(system: ProtectedPostgres): Promise<number> {
  const { client, context, relays } = system;
  const noise = Array.from({ length: 15 }, (_, part) => `sha512((g || '-${part}')::bytea)`).join(" || ");
  await client.query(`CREATE TABLE noise AS SELECT g AS id, ${noise} AS bytes FROM generate_series(1, ${rows}) g`);
  await client.query("CHECKPOINT");
  await backUpPostgres(context, "full");
  await client.query(`INSERT INTO noise SELECT g, ${noise} FROM generate_series(${rows + 1}, ${rows + 100_000}) g`);
  await createRestorePoint(context, "end");
  for (const relay of Object.values(relays)) relay.setRate(storeRate);
  const { rows: sizes } = await client.query<{ size: string }>("SELECT sum(pg_database_size(oid))::text AS size FROM pg_database");
  return Number(sizes[0]?.size ?? 0);
}

/** Seconds from the start of the process to its end, when the server takes writes. */
async function recoverByDr(system: ProtectedPostgres, config: string): Promise<number> {
  const into = system.place("by-dr");
  const dr = join(import.meta.dirname, "..", "cli", "dr.ts");
  const { stdout, seconds } = await run(process.execPath, [dr, "--config", config, "--json", "--quiet", "recover", "postgres", "latest", "--into", into], { deadline, cwd: system.folder });
  const { binDirectory } = JSON.parse(stdout) as { readonly binDirectory: string };
  await expectRows(`${into}.socket`);
  await stop(into, binDirectory);
  return seconds;
}

async function recoverByHand(system: ProtectedPostgres): Promise<number> {
  const { context } = system;
  const owner = databaseUser();
  const into = await makeFolder(system.place("by-hand"), { owner });
  const socket = await makeFolder(`${into}.socket`, { owner });
  const [repository] = repositoriesOf(context);
  if (repository === undefined) throw new RangeError("the bench has a repository");
  const folder = system.place("by-hand-pgbackrest");
  await mkdir(folder, { recursive: true });
  const open = await openRepository(context, repository, { folder, pgPath: into });
  const binDirectory = (await run("pg_config", ["--bindir"], { deadline: 10 }).catch(() => ({ stdout: "/usr/lib/postgresql/15/bin" }))).stdout.trim();
  const begun = performance.now();
  await open.command(["--type=default", "--archive-mode=off", "restore"], { deadline });
  const options = ["-c listen_addresses=", `-c unix_socket_directories=${socket}`, "-c hot_standby=off", `-c hba_file=${await trustFile(folder)}`].join(" ");
  await run(join(binDirectory, "pg_ctl"), ["start", "-W", "-D", into, "-l", join(folder, "server.log"), "-o", options], { deadline: 60, user: owner, cwd: "/" });
  await waitFor("the end of the recovery by hand", () => isRecovered(socket), { within: deadline, every: 0.1 });
  const seconds = secondsSince(begun);
  await expectRows(socket);
  await stop(into, binDirectory);
  await rm(folder, { recursive: true });
  return seconds;
}

async function trustFile(folder: string): Promise<string> {
  const path = join(folder, "hba.conf");
  await writeFile(path, "local all all trust\n", { mode: 0o644 });
  return path;
}

async function ask(socket: string, sql: string): Promise<string | undefined> {
  const client = new Client({ host: socket, port: 5432, user: "postgres", database: "postgres" });
  await client.connect();
  const { rows: answer } = await client.query<{ value: string }>(sql);
  await client.end();
  return answer[0]?.value;
}

const isRecovered = async (socket: string): Promise<boolean> => (await ask(socket, "SELECT (NOT pg_is_in_recovery())::text AS value")) === "true";

async function expectRows(socket: string): Promise<void> {
  const count = await ask(socket, "SELECT count(*)::text AS value FROM noise");
  if (count !== String(rows + 100_000)) throw new RangeError(`the recovered table has ${count ?? "no"} rows`);
}

async function stop(dataDirectory: string, binDirectory: string): Promise<void> {
  await stopIsolated({ dataDirectory, binDirectory, socketDirectory: `${dataDirectory}.socket`, port: 5432, owner: databaseUser(), logFile: "", hbaFile: "", promote: true }, "immediate");
  await rm(dataDirectory, { recursive: true });
}

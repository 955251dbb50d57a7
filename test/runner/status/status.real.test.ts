import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { pgbackrestConf, type PgbackrestRepository } from "../../../plan/config/pgbackrest.ts";
import { days, hours } from "../../../plan/units.ts";
import { renderStatus } from "../../../cli/render/status.ts";
import { readStatus } from "../../../runner/status/read.ts";
import { backUpPostgres } from "../../../runner/stores/postgres/back-up.ts";
import { initialisePostgres } from "../../../runner/stores/postgres/initialise.ts";
import { pgbackrestProgram } from "../../../runner/stores/postgres/repositories.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { ratesFromRecords } from "../../../runner/verification-rates.ts";
import { verifyOne } from "../../../runner/verify.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { startTestPostgres, type TestPostgres } from "../../harness/postgres.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

/** Added to the clock: what an archiver that lies looks like an hour later. */
let later = 0;
const clock = { now: () => new Date(Date.now() + later * 1_000) };
const folder = await temporaryFolder("status");
let postgres: TestPostgres;
let context: TestContext;

/** A real PostgreSQL that archives into two repositories, each in a folder of its own. */
async function startArchiving(): Promise<void> {
  const owner = databaseUser();
  const { program, version } = await pgbackrestProgram();
  const home = await makeFolder(join(folder.path, "pgbackrest"), { mode: 0o755, owner });
  const cipherPassFile = join(folder.path, "cipher-pass");
  await writeDurably(cipherPassFile, "a passphrase of a test\n", { mode: 0o600 });
  const names = ["r2", "s3"];
  const backends = await Promise.all(names.map(async (name) => ({ kind: "folder" as const, name, path: await makeFolder(join(folder.path, name), { mode: 0o755 }), pgbackrest: { path: "/pgbackrest", cipherPassFile } })));
  const repositories = backends.map(({ path }, index): PgbackrestRepository => ({ kind: "posix", index: index + 1, path: join(path, "pgbackrest"), cipherPass: "a passphrase of a test" }));
  const [spool, lockPath, logPath] = await Promise.all(["spool", "lock", "log"].map((name) => makeFolder(join(home, name), { owner })));
  const conf = join(home, "pgbackrest.conf");
  const dataDirectory = join(folder.path, "postgres", "data");
  await writeDurably(conf, pgbackrestConf({ plan: blackroad, version, stanza: "main", repositories, pg: { path: dataDirectory, port: 5432, socketPath: join(folder.path, "postgres", "socket"), user: "postgres" }, spool: spool ?? "", lockPath: lockPath ?? "", logPath: logPath ?? "", processMax: 2 }), { mode: 0o600, owner });
  postgres = await startTestPostgres({ folder: join(folder.path, "postgres"), settings: { archive_mode: "on", wal_level: "replica", archive_command: `${program} --config=${conf} --stanza=main archive-push %p` } });
  context = await testContext({ folder: join(folder.path, "run"), clock, config: { backends, postgres: postgres.config } });
  await makeFolder(context.config.workDirectory, { mode: 0o711, owner }); // as the command line makes it
}

beforeAll(startArchiving);
afterAll(async () => {
  context.close();
  await postgres.kill();
  await folder.remove();
});

async function sql(statement: string): Promise<void> {
  const client = await postgres.connect();
  await client.query(statement);
  await client.end();
}

it("is all alarms before the first backup, and has none after it", async () => {
  expect((await readStatus(context)).alarms).toContain("postgres full: no backup in any backend");
  await initialisePostgres(context);
  await sql("create table things as select generate_series(1, 50000) as n, repeat('x', 100) as what");
  const backup = await backUpPostgres(context, "full");
  expect(backup.outcome).toBe("ok");
  const status = await readStatus(context);
  expect(status.alarms).toEqual([]);
  expect(status.wal.map(({ backend, state }) => `${backend} ${state}`)).toEqual(["r2 ok", "s3 ok"]);
  expect(status.windows).toMatchObject([{ store: "postgres", objectiveSeconds: days(7) }]);
  expect(renderStatus(status)).toContain("all is as the plan wants it");
});

it("shows a verification of each copy, and gives later predictions its rates", async () => {
  const { ok, verified } = await verifyOne(context, "latest", { store: "postgres" });
  expect(verified.flatMap(({ copies }) => copies.flatMap(({ errors }) => errors))).toEqual([]);
  expect(ok).toBe(true);
  expect((await readStatus(context)).verifications).toMatchObject([{ store: "postgres", ok: true }]);
  const { records } = await context.catalog.list();
  const rates = ratesFromRecords(records, blackroad.rates);
  expect(rates.restore).not.toBe(blackroad.rates.restore);
  expect(rates.source).toContain("postgres-verification");
});

it("sees an archiver that reports success and delivers nothing, in the bucket", async () => {
  await sql("alter system set archive_command = '/bin/true'");
  await sql("select pg_reload_conf()");
  await sql("insert into things select 1, 'lost'");
  await sql("select pg_switch_wal()");
  later = hours(1);
  const status = await readStatus(context);
  expect(status.ok).toBe(false);
  expect(status.alarms.filter((alarm) => alarm.startsWith("the newest WAL in"))).toHaveLength(2);
});

it("asks the server itself, and says where it does not answer", async () => {
  expect(renderStatus(await readStatus(context))).toContain("no replica streams from this leader");
  await postgres.kill();
  const status = await readStatus(context);
  expect(status.alarms[0]).toMatch(/^PostgreSQL cannot be asked: PostgreSQL does not take the connection/);
  expect(renderStatus(status)).toContain("newest WAL in the bucket");
});

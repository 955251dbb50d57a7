import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportSchema, type DrillReport } from "../../drill/report/model.ts";
import { makeFolder } from "../../runner/system/files.ts";
import { run } from "../../runner/system/process.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";

/** Somebody else's database with somebody else's pgBackRest: a folder, a passphrase, a configuration of his own. */
const cli = resolve(import.meta.dirname, "../../cli/dr.ts");
const owner = databaseUser();
let folder: string;
let theirs: TestPostgres;
let repository: string;
let conf: string;

async function pgbackrest(...args: string[]): Promise<void> {
  await run("pgbackrest", [`--config=${conf}`, "--stanza=shop", ...args], { deadline: 120, user: owner, cwd: folder });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "source-test-"));
  await makeFolder(folder, { mode: 0o755 });
  repository = await makeFolder(join(folder, "repository"), { owner });
  conf = join(folder, "pgbackrest.conf");
  const data = join(folder, "pg", "data");
  const text = ["[global]", `repo1-path=${repository}`, "repo1-cipher-type=aes-256-cbc", "repo1-cipher-pass=their own passphrase", "repo1-retention-full=2", `lock-path=${folder}/lock`, `spool-path=${folder}/spool`, "log-level-file=off", "start-fast=y", "[shop]", `pg1-path=${data}`, `pg1-socket-path=${join(folder, "pg", "socket")}`, ""].join("\n");
  await writeFile(conf, text, { mode: 0o644 });
  await makeFolder(join(folder, "lock"), { owner });
  theirs = await startTestPostgres({ folder: join(folder, "pg"), settings: { archive_mode: "on", archive_command: `pgbackrest --config=${conf} --stanza=shop archive-push %p`, wal_level: "replica" } });
  const client = await theirs.connect();
  await pgbackrest("stanza-create");
  await client.query("create table orders as select n as id, md5(n::text) as item from generate_series(1, 1000) n");
  await pgbackrest("--type=full", "backup");
  await client.query("insert into orders values (1001, 'after the backup')");
  await client.query("select pg_switch_wal()");
  await client.query("select pg_sleep(0)");
  await pgbackrest("check");
  await client.end();
  await theirs.stop();
});
afterAll(async () => {
  await theirs.kill();
  await rm(folder, { recursive: true, force: true });
});

async function drill(name: string, ...args: string[]): Promise<{ code: number; stderr: string; report: DrillReport | undefined }> {
  const out = join(folder, name);
  const { code, stderr } = await run(process.execPath, [cli, "drill", "run", "--out", out, "--source", repository, ...args], { deadline: 200, accept: [0, 1, 2, 4, 5] });
  const text = await readFile(join(out, "report.json"), "utf8").catch(() => undefined);
  return { code, stderr, report: text === undefined ? undefined : reportSchema.parse(JSON.parse(text)) };
}

describe("a drill on a repository that it did not make", () => {
  it("restores it with all its WAL, asks the owner's questions, measures and leaves nothing", async () => {
    const before = await readdir(repository, { recursive: true });
    const { code, report, stderr } = await drill("good", "--source-config", conf, "--query", "select count(*) = 1001 from orders", "--query", "select item from orders where id = 1001");
    expect({ code, error: report?.runs[0]?.error, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, error: null, stderr: "" });
    expect(report).toMatchObject({ passed: true, leftovers: 0, environment: "source" });
    const evidence = report?.runs[0]?.evidence ?? [];
    expect(evidence).toContainEqual({ what: "select count(*) = 1001 from orders", value: "true", ok: true });
    expect(evidence).toContainEqual({ what: "select item from orders where id = 1001", value: "after the backup", ok: true });
    expect(report?.runs[0]?.stores[0]?.rtoSeconds).toBeGreaterThan(0);
    expect(await readdir(repository, { recursive: true })).toEqual(before);
  });

  it("fails where an integrity query says false or cannot be answered", async () => {
    const { code, report } = await drill("bad", "--source-config", conf, "--query", "select count(*) = 7 from orders", "--query", "select 1 from no_such_table");
    expect(code).toBe(1);
    expect(report?.runs[0]?.evidence.filter(({ ok }) => !ok).map(({ value }) => value)).toEqual(["false", 'relation "no_such_table" does not exist']);
    expect(report?.leftovers).toBe(0);
  });

  it("says what is wrong with a wrong passphrase, an unknown backup, an unknown stanza, and leaves nothing", async () => {
    const wrong = join(folder, "wrong.conf");
    await writeFile(wrong, (await readFile(conf, "utf8")).replace("their own passphrase", "another one"));
    const passphrase = await drill("passphrase", "--source-config", wrong);
    expect({ code: passphrase.code, leftovers: passphrase.report?.leftovers, error: passphrase.report?.runs[0]?.error }).toEqual({ code: 1, leftovers: 0, error: expect.stringMatching(/the passphrase is wrong/) as unknown });
    expect((await drill("backup", "--source-config", conf, "--backup", "20200101-000000F")).stderr).toMatch(/there is no backup 20200101-000000F; there are: \d{8}-\d{6}F/);
    expect((await drill("stanza", "--source-config", conf, "--stanza", "store")).stderr).toMatch(/the repository holds/);
    expect((await drill("nothing", "--source-config", join(folder, "absent.conf"))).stderr).toMatch(/cannot be read/);
  });

  it("says soon, and in words, that a bucket cannot be reached", async () => {
    const away = join(folder, "away.conf");
    await writeFile(away, ["[global]", "repo1-type=s3", "repo1-path=/pgbackrest", "repo1-s3-endpoint=localhost", "repo1-storage-port=9", "repo1-s3-bucket=theirs", "repo1-s3-region=auto", "repo1-s3-key=k", "repo1-s3-key-secret=s", ""].join("\n"));
    const { code, report } = await drill("away", "--source", "s3://theirs/pgbackrest", "--source-config", away);
    expect({ code, error: report?.runs[0]?.error }).toEqual({ code: 1, error: expect.stringMatching(/the repository does not accept connections/) as unknown });
  });
});

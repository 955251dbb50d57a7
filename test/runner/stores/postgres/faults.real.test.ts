import { randomBytes } from "node:crypto";
import { readdir, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import { DrError, exitCodes } from "../../../../runner/errors.ts";
import { run } from "../../../../runner/system/process.ts";
import { isRoot } from "../../../../runner/system/user.ts";
import { isAlive } from "../../../../runner/system/pid.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { writeArchiverConf } from "../../../../runner/stores/postgres/archiver.ts";
import { backUpPostgres } from "../../../../runner/stores/postgres/back-up.ts";
import { initialisePostgres } from "../../../../runner/stores/postgres/initialise.ts";
import { carryOut, planRecovery, recoverPostgres, type RecoverOptions } from "../../../../runner/stores/postgres/recover.ts";
import { postgresWatermark } from "../../../../runner/stores/postgres/watermark.ts";
import type { TestContext } from "../../../harness/context.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";
import { s3Installed } from "../../../harness/s3.ts";

/** Seconds. With one store refusing connections, WAL is in the other at most this old (F8, and the figure). */
const degradedBound = 180;

describe.skipIf(!s3Installed)("faults around PostgreSQL's repositories (needs versitygw)", () => {
  let system: ProtectedPostgres;
  beforeAll(async () => {
    system = await startProtectedPostgres("faults");
    await system.client.query("CREATE TABLE t AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 5000) g");
    await backUpPostgres(system.context, "full");
  });
  afterAll(() => system.close());

  const failure = (work: Promise<unknown>): Promise<DrError> =>
    work.then(
      () => { throw new Error("it was expected to fail"); },
      (error: unknown) => {
        if (error instanceof DrError) return error;
        throw error;
      },
    );

  /** Makes the server's archiver push to where this run's repositories are. */
  const moveArchiver = async (to: TestContext): Promise<void> => {
    await writeArchiverConf(to);
    const file = (context: TestContext) => join(context.config.workDirectory, "pgbackrest", "archiver.conf");
    if (to !== system.context) await run("cp", ["--preserve=ownership,mode", file(to), file(system.context)], { deadline: 5 });
  };

  it("names a wrong passphrase, a wrong key, a wrong authority and a dead store, quickly, and loses nothing", async () => {
    const wrong = join(system.folder, "wrong.pass");
    await writeFile(wrong, "not the passphrase\n");
    const credentials = join(system.folder, "wrong.credentials");
    await writeFile(credentials, "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n");
    const faults: readonly (readonly [string, Partial<(typeof system.backends)[number]>, RegExp])[] = [
      ["passphrase", { pgbackrest: { path: "/pgbackrest", cipherPassFile: wrong } }, /cannot be decrypted: the passphrase is wrong/],
      ["key", { credentialsFile: credentials }, /does not know the access key|refuses the key|denies access/],
      ["authority", { caFile: "/etc/ssl/certs/ca-certificates.crt" }, /signed by an authority that is not trusted|not signed by a trusted authority|signed by itself/],
      ["port", { endpoint: "localhost:9" }, /refuses connections/],
    ];
    for (const [name, change, message] of faults) {
      const other = await system.other(`wrong-${name}`, { backends: system.backends.map((backend) => ({ ...backend, ...change })) });
      const begun = performance.now();
      const error = await failure(backUpPostgres({ ...other, catalog: system.context.catalog }, "full"));
      expect(error.message, name).toMatch(message);
      expect(error.exitCode, name).toBe(exitCodes.unavailable);
      const planning = await failure(planRecovery({ ...other, catalog: system.context.catalog }, { backup: "latest", target: { kind: "latest" }, into: system.place("nowhere") }));
      expect(planning.message, name).toMatch(message);
      expect((performance.now() - begun) / 1_000, name).toBeLessThan(60);
      expect((await readdir(other.config.workDirectory)).filter((entry) => entry.startsWith("recovery-"))).toEqual([]);
      other.close();
    }
  });

  it("go on with one store refusing connections: its WAL is in the other soon, a backup succeeds there and says what failed", async () => {
    await system.relays.s3.refuse();
    try {
      const begun = performance.now();
      await system.client.query("INSERT INTO t VALUES (0, 'while s3 is dead')");
      const { rows } = await system.client.query<{ segment: string }>("SELECT pg_walfile_name(pg_switch_wal()) AS segment");
      const segment = rows[0]?.segment ?? "";
      await waitFor(`${segment} in r2`, async () => {
        const [r2] = await postgresWatermark(system.context);
        return r2?.status === "ok" && r2.segment >= segment;
      }, { within: degradedBound, every: 1 });
      expect((performance.now() - begun) / 1_000).toBeLessThan(degradedBound);
      const result = await backUpPostgres(system.context, "incremental");
      expect(result).toMatchObject({ outcome: "partial", record: { copies: [{ backend: "r2", status: "ok" }, { backend: "s3", status: "failed", error: expect.stringMatching(/refuses connections/) as string }] } });
      if (result.outcome === "skipped") throw new Error("unreachable");
      expect(outcomeOf(result.record)).toBe("partial");
      const recovery = await recoverPostgres(system.context, { backup: result.record.id, target: { kind: "latest" }, into: system.place("from-r2") });
      await system.drop(recovery);
      expect(recovery.repository).toBe("r2");
      expect(recovery.plan.notes.join()).toMatch(/s3 cannot serve/);
    } finally {
      await system.relays.s3.accept();
    }
  });

  it("skips an incremental that meets a full backup; a killed runner leaves nothing that keeps the next one from working", async () => {
    const lock = join(system.context.config.workDirectory, "pgbackrest", "lock", "main-backup.lock");
    const held = async (): Promise<boolean> => {
      const pid = /"pid":(\d+)/.exec(await readFile(lock, "utf8"))?.[1];
      return pid !== undefined && isAlive(Number(pid));
    };
    const program = `
      import { startBackup } from ${JSON.stringify(join(import.meta.dirname, "../../../harness/back-up-once.ts"))};
      await startBackup(${JSON.stringify(JSON.stringify(system.context.config))});`;
    const stop = new AbortController();
    system.relays.r2.setRate(300_000); // slow enough to be met in its middle
    const killed = run(process.execPath, ["--input-type=module", "-e", program], { deadline: 120, signal: stop.signal, cwd: join(import.meta.dirname, "../../../..") }).catch(() => "killed");
    try {
      await waitFor("the full backup's lock", held, { within: 60, every: 0.02 });
      expect(await backUpPostgres(system.context, "incremental")).toMatchObject({ outcome: "skipped", why: expect.stringMatching(/another backup is running/) as string });
    } finally {
      stop.abort(); // SIGKILL to the runner alone: pgBackRest leads a process group of its own
      system.relays.r2.setRate(undefined);
    }
    expect(await killed).toBe("killed");
    await waitFor("the end of the killed runner's pgBackRest", async () => !(await held()), { within: 60, every: 0.05 });
    expect((await backUpPostgres(system.context, "incremental")).outcome).toBe("ok");
  });

  it("leave a database that was to be overwritten as it is, where no store answers any more", async () => {
    const into = system.place("older");
    await system.drop(await recoverPostgres(system.context, { backup: "latest", target: { kind: "latest" }, into }));
    const before = await readdir(into);
    const options: RecoverOptions = { backup: "latest", target: { kind: "latest" }, into, force: true };
    const planned = await planRecovery(system.context, options);
    await Promise.all([system.relays.r2.refuse(), system.relays.s3.refuse()]);
    try {
      await failure(carryOut(system.context, options, planned));
      expect(await readdir(into)).toEqual(before);
    } finally {
      await Promise.all([system.relays.r2.accept(), system.relays.s3.accept()]);
    }
  });

  it("says that a disk is full, of a repository and of a restore, and leaves no half database", async ({ skip }) => {
    skip(!isRoot(), "only root can mount a small disk");
    const disk = system.place("small");
    await run("mkdir", ["-p", disk], { deadline: 5 });
    await run("mount", ["-t", "tmpfs", "-o", "size=6m,mode=0755", "tmpfs", disk], { deadline: 5 });
    try {
      const into = join(disk, "restored");
      const error = await failure(recoverPostgres(system.context, { backup: "latest", target: { kind: "latest" }, into }));
      expect(error.message).toMatch(/the disk is too small: the database has .* are free/);
      const [first] = system.backends;
      if (first?.pgbackrest === undefined) throw new Error("a backend has a repository");
      const folder = await system.other("folder", { backends: [{ kind: "folder", name: "r2", path: disk, pgbackrest: first.pgbackrest }] });
      await moveArchiver(folder);
      await initialisePostgres(folder);
      const { bavail, bsize } = await statfs(disk);
      await writeFile(join(disk, "filler"), randomBytes(bavail * bsize - 1_000_000));
      const full = await failure(backUpPostgres(folder, "full"));
      expect(full.message).toMatch(/the disk is full/);
      folder.close();
    } finally {
      await moveArchiver(system.context);
      await run("umount", ["-l", disk], { deadline: 5 });
    }
  });

  it("says that the disk became full where the files fitted and the WAL does not", async ({ skip }) => {
    skip(!isRoot(), "only root can mount a small disk");
    const made = await backUpPostgres(system.context, "full");
    if (made.outcome === "skipped") throw new Error(made.why);
    for (let segments = 0; segments < 3; segments += 1) {
      await system.client.query("CREATE TABLE w AS SELECT 1; DROP TABLE w");
      await system.client.query("SELECT pg_switch_wal()");
    }
    const { rows } = await system.client.query<{ segment: string }>("SELECT pg_walfile_name(pg_current_wal_lsn() - 1) AS segment");
    await waitFor("the WAL in r2", async () => (await postgresWatermark(system.context)).some((one) => one.repository === "r2" && one.status === "ok" && one.segment >= (rows[0]?.segment ?? "")), { within: 30 });
    const disk = system.place("tight");
    await run("mkdir", ["-p", disk], { deadline: 5 });
    await run("mount", ["-t", "tmpfs", "-o", `size=${made.record.sourceBytes + 18 * 1024 ** 2},mode=0755`, "tmpfs", disk], { deadline: 5 });
    try {
      const error = await failure(recoverPostgres(system.context, { backup: "latest", target: { kind: "latest" }, into: join(disk, "restored"), socketDirectory: system.place("tight.socket") }));
      expect(error.message).toMatch(/the disk became full during the recovery/);
      expect(await readdir(join(disk, "restored"))).toEqual([]);
    } finally {
      await run("umount", ["-l", disk], { deadline: 5 });
    }
  });

  it("keeps what was there: every row is still in production", async () => {
    const client: Client = await system.postgres.connect();
    const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM t");
    await client.end();
    expect(rows[0]?.count).toBe("5001");
  });
});

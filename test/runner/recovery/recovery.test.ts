import { writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { checkDestination, prepareSocketFolder, runningServer } from "../../../runner/recovery/directory.ts";
import { serverRuns } from "../../../runner/recovery/isolated-server.ts";
import { readRecoveryLog, recoveryFailed } from "../../../runner/recovery/recovery-log.ts";
import { recoveryPlan, renderRecoveryPlan, type RecoveryPlanInput } from "../../../runner/recovery/recovery-plan.ts";
import { startServer } from "../../../runner/system/process.ts";
import { testContext, type TestContext } from "../../harness/context.ts";

const log = `2026-11-22 21:18:35.899 UTC [25960] LOG:  redo starts at 0/6000028
2026-11-22 21:18:36.135 UTC [25960] LOG:  restored log file "000000010000000000000007" from archive
2026-11-22 21:18:36.202 UTC [25960] LOG:  restored log file "000000010000000000000008" from archive
2026-11-22 21:18:36.210 UTC [25960] LOG:  restored log file "00000002.history" from archive
2026-11-22 21:18:36.220 UTC [25999] FATAL:  the database system is starting up
2026-11-22 21:18:36.733 UTC [25960] LOG:  redo done at 0/A018FD8 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.83 s
2026-11-22 21:18:36.733 UTC [25960] LOG:  last completed transaction was at log time 2026-11-22 21:18:00.212018+00
`;

describe("PostgreSQL's log of a recovery", () => {
  it("tells segments, time and the last commit", () => {
    expect(readRecoveryLog(log)).toEqual({ segments: 2, redoEnd: "0/A018FD8", redoSeconds: 0.83, lastCommit: "2026-11-22 21:18:00.212018+00", paused: false });
  });

  it("tells why the server ended", () => {
    const where = { logFile: "/log", dataDirectory: "/data" };
    expect(recoveryFailed(where, `${log}x FATAL:  recovery ended before configured recovery target was reached\n`).message).toMatch(/the archived WAL ends before the target, its last commit was at 2026-11-22 21:18:00.212018\+00.*Recover to the latest/s);
    expect(recoveryFailed(where, "PANIC:  could not write to file: No space left on device").what).toMatch(/disk became full/);
    expect(recoveryFailed(where, "ERROR: [064]: unable to write '/data/pg_wal/RECOVERYXLOG': [18] Invalid cross-device link\nFATAL:  WAL ends before end of online backup").what).toMatch(/disk became full/);
    expect(recoveryFailed(where, "FATAL:  could not load library").what).toContain("could not load library");
    expect(recoveryFailed(where, "").what).toContain("its log is empty");
  });
});

describe("the directory of a recovery", () => {
  let folder: string;
  let context: TestContext;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "directory-"));
    context = await testContext({ folder: join(folder, "run"), config: { postgres: { stanza: "main", dataDirectory: join(folder, "production"), host: "/run", port: 5432, user: "postgres", database: "postgres" } } });
    await mkdir(join(folder, "production", "base"), { recursive: true });
  });
  afterEach(async () => {
    context.close();
    await rm(folder, { recursive: true });
  });

  it("may be missing or empty", async () => {
    expect(await checkDestination(context, join(folder, "new"), false)).toMatchObject({ state: "missing" });
    await mkdir(join(folder, "empty", "lost+found"), { recursive: true });
    expect(await checkDestination(context, join(folder, "empty"), false)).toMatchObject({ state: "empty" });
  });

  it("is never production's, nor around or inside it, nor by a link or a detour", async () => {
    await symlink(join(folder, "production"), join(folder, "link"));
    for (const into of ["production", "production/base", "production/new", ".", "link", "link/base", "empty/../production"]) {
      await expect(checkDestination(context, join(folder, into), true)).rejects.toMatchObject({ kind: "refused" });
    }
    await expect(checkDestination(context, "relative", true)).rejects.toMatchObject({ kind: "usage" });
  });

  it("holds another's files only by force", async () => {
    const into = join(folder, "foreign");
    await mkdir(into);
    for (const name of ["a", "b", "c", "d"]) await writeFile(join(into, name), "");
    await expect(checkDestination(context, into, false)).rejects.toThrow(/holds files that are no database: a, b, c and 1 more/);
    expect(await checkDestination(context, into, true)).toMatchObject({ state: "foreign" });
    await writeFile(join(into, "PG_VERSION"), "15\n");
    await expect(checkDestination(context, into, false)).rejects.toThrow(/holds a PostgreSQL database/);
    expect(await checkDestination(context, into, true)).toMatchObject({ state: "cluster" });
  });

  it("takes a folder for its socket that is new, empty or its own, and leaves one that others use as it is", async () => {
    const path = join(folder, "socket");
    expect(await prepareSocketFolder(path, undefined)).toBe(path);
    await writeFile(join(path, "of an earlier recovery"), "");
    expect(await prepareSocketFolder(path, undefined)).toBe(path);
    await chmod(path, 0o1777);
    await expect(prepareSocketFolder(path, undefined)).rejects.toMatchObject({ kind: "refused", where: "--socket-directory" });
    expect((await stat(path)).mode & 0o7777).toBe(0o1777);
  });

  it("knows a server that runs there from one that crashed", async () => {
    const into = join(folder, "server");
    await mkdir(into);
    await writeFile(join(into, "postmaster.pid"), "4194303\n");
    expect(await runningServer(into)).toBeUndefined();
    // Our own process is alive, but it works elsewhere: the number was given to another program.
    await writeFile(join(into, "postmaster.pid"), `${process.pid}\n`);
    expect(await runningServer(into)).toBeUndefined();
    const server = await startServer("a server", "sleep", ["60"], { cwd: into, logFile: join(folder, "log") });
    try {
      await writeFile(join(into, "postmaster.pid"), `${server.pid}\n`);
      expect(await runningServer(into)).toBe(server.pid);
      await expect(checkDestination(context, into, true)).rejects.toThrow(/a PostgreSQL server runs in .* no option overrides this/s);
    } finally {
      await server.kill();
    }
  });
});

describe("a recovery plan", () => {
  const input: RecoveryPlanInput = {
    plan: blackroad, now: new Date("2026-11-22T12:01:00Z"), target: { kind: "latest" }, repository: "r2", source: "pgbackrest://r2/pgbackrest", into: "/into", tier: "warm", notes: ["s3 is down"], backupId: "id",
    choice: {
      backup: { label: "F", type: "full", startLsn: "0/2000028", stopLsn: "0/2000100", startedAt: new Date(0), stoppedAt: new Date("2026-11-22T02:00:00Z"), startSegment: "000000010000000000000002", stopSegment: "000000010000000000000002", timeline: 1, bytes: 10 * 1024 ** 3, storedBytes: 1, references: [], damagedPages: false, archiveId: "15-1" },
      timeline: 1, newestSegment: { segment: "000000010000000000000041", path: "", archivedAt: new Date("2026-11-22T12:00:30Z") }, newestCommit: { time: new Date("2026-11-22T12:00:00Z"), text: "", xid: "1" }, notes: [],
    },
  };

  it("says backup, WAL, repository, time and loss, all from the plan's rates", () => {
    const plan = recoveryPlan(input);
    expect(plan.wal).toEqual({ source: "pgbackrest://r2/pgbackrest/archive", from: "000000010000000000000002", to: "000000010000000000000041", bytes: 64 * 16 * 1024 ** 2 - 0x28 });
    expect(plan.estimate.fetch).toBeCloseTo((10 * 1024 ** 3) / blackroad.rates.restore);
    expect(plan.estimate.total).toBeCloseTo(plan.estimate.start + plan.estimate.fetch + plan.estimate.wal + plan.estimate.replay + plan.estimate.promote);
    expect(plan.expectedLoss).toEqual({ text: "what was committed after 2026-11-22T12:00:00.000Z, at most the last 1 min", seconds: 60 });
    const text = renderRecoveryPlan(plan);
    for (const part of ["id = F (full, 10 GiB", "warm tier: 30 min", "note       s3 is down", "timeline 1"]) expect(text).toContain(part);
  });

  it("replays to the LSN alone, or nothing for the backup as it is", () => {
    expect(recoveryPlan({ ...input, target: { kind: "lsn", lsn: 0x3000028n } }).wal.bytes).toBe(16 * 1024 ** 2);
    expect(recoveryPlan({ ...input, target: { kind: "immediate" } }).wal).toEqual({ source: "pgbackrest://r2/pgbackrest/archive", from: "000000010000000000000002", bytes: 0x100 - 0x28 });
  });
});

describe("a server that was just started", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dr-starting-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("runs, though its number and its log's first word come between two looks at them", async () => {
    const [dataDirectory, log] = [join(folder, "data"), join(folder, "postgresql.log")];
    await mkdir(dataDirectory);
    /** PostgreSQL writes its number, and then the first word, in the moment in which its log is looked for. */
    const server = {
      dataDirectory,
      get logFile() {
        writeFileSync(join(dataDirectory, "postmaster.pid"), `${process.pid}\n`);
        writeFileSync(log, "LOG:  starting PostgreSQL\n");
        return log;
      },
    };
    expect(await serverRuns(server)).toBe(true);
  });

  it("does not run any more where it has said something and its number is gone", async () => {
    const server = { dataDirectory: folder, logFile: join(folder, "postgresql.log") };
    expect(await serverRuns(server)).toBe(true);
    await writeFile(server.logFile, "FATAL:  no\n");
    expect(await serverRuns(server)).toBe(false);
  });
});

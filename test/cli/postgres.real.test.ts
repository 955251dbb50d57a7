import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../runner/errors.ts";
import { run } from "../../runner/system/process.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { stopIsolated } from "../../runner/recovery/isolated-server.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../harness/protected-postgres.ts";
import { s3Installed } from "../harness/s3.ts";

const dr = join(import.meta.dirname, "..", "..", "cli", "dr.ts");

interface Answer {
  readonly code: number;
  readonly data: Record<string, unknown>;
  readonly stderr: string;
}

describe.skipIf(!s3Installed)("dr with PostgreSQL (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let config: string;
  beforeAll(async () => {
    system = await startProtectedPostgres("cli");
    config = join(system.folder, "config.json");
    await writeFile(config, JSON.stringify(system.context.config));
    await system.client.query("CREATE TABLE t AS SELECT 1 AS id");
  });
  afterAll(() => system.close());

  const call = (...args: readonly string[]): Promise<Answer> => callWith(config, ...args);
  const configWith = async (name: string, backends: unknown): Promise<string> => {
    const path = join(system.folder, `${name}.json`);
    await writeFile(path, JSON.stringify({ ...system.context.config, backends }));
    return path;
  };
  const callWith = async (file: string, ...args: readonly string[]): Promise<Answer> => {
    const { code, stdout, stderr } = await run(process.execPath, [dr, "--config", file, "--json", ...args], { deadline: 120, cwd: system.folder, accept: [0, ...Object.values(exitCodes)] });
    return { code, data: JSON.parse(stdout === "" ? "{}" : stdout) as Record<string, unknown>, stderr };
  };

  it("backs up, says what it would recover, recovers with read-only keys in a process of its own, and hands the server over running", async () => {
    const backup = await call("backup", "postgres", "full");
    expect(backup).toMatchObject({ code: 0, data: { outcome: "ok", record: { store: "postgres", kind: "full" } } });
    expect(backup.stderr).toContain("full backup into r2");

    const into = system.place("recovered");
    const dry = await call("recover", "postgres", "latest", "--into", into, "--tier", "warm", "--dry-run");
    expect(dry).toMatchObject({ code: 0, data: { dryRun: true, plan: { repository: "r2", timeline: 1, objective: { tier: "warm" } } } });
    expect((await readdir(system.folder)).filter((name) => name.startsWith("recovered"))).toEqual([]);

    const readers = system.backends.map((backend) => ({ ...backend, credentialsFile: system.stores[backend.name === "r2" ? "r2" : "s3"].readerCredentialsFile }));
    const workDirectory = join(system.folder, "isolated");
    await mkdir(workDirectory);
    const isolated = join(system.folder, "isolated.json");
    await writeFile(isolated, JSON.stringify({ ...system.context.config, postgres: undefined, backends: readers, readOnly: true, workDirectory }));
    const { stdout } = await run(process.execPath, [dr, "--config", isolated, "--json", "recover", "postgres", "latest", "--into", into, "--port", "5499"], { deadline: 120, cwd: system.folder });
    const recovery = JSON.parse(stdout) as { readonly dataDirectory: string; readonly socketDirectory: string; readonly port: number; readonly binDirectory: string; readonly logFile: string };
    expect(recovery).toMatchObject({ repository: "r2", promoted: true, port: 5499, recoveredTo: { timeline: 2 } });
    try {
      const client = new Client({ host: recovery.socketDirectory, port: 5499, user: "postgres", database: "postgres" });
      await client.connect();
      const { rows } = await client.query<{ id: number }>("INSERT INTO t VALUES (2) RETURNING id");
      await client.end();
      expect(rows[0]?.id).toBe(2);
      // The keys of the repository are gone as soon as no WAL is fetched any more.
      const left = (await readdir(workDirectory, { recursive: true })).filter((name) => /(r2|s3)\.conf$/.test(name));
      expect(left).toEqual([]);
    } finally {
      await stopIsolated({ ...recovery, owner: databaseUser(), hbaFile: "", promote: true }, "immediate");
    }
    const write = await run(process.execPath, [dr, "--config", isolated, "backup", "postgres", "full"], { deadline: 60, cwd: system.folder, accept: [exitCodes.refused] });
    expect(write.stderr).toContain("this run may only read");
  });

  it("ends with the code that tells what happened", async () => {
    expect(await call("recover", "pitr", "yesterday", "--into", system.place("x"))).toMatchObject({ code: exitCodes.usage, data: { error: { what: '"yesterday" is not a time' } } });
    expect(await call("recover", "pitr", "2999-01-01T00:00:00Z", "--into", system.place("x"))).toMatchObject({ code: exitCodes.usage });
    expect(await call("recover", "pitr", "2020-01-01T00:00:00Z", "--into", system.place("x"))).toMatchObject({ code: exitCodes.unavailable, data: { error: { what: expect.stringMatching(/No backup available before target time/) as string } } });
    expect(await call("recover", "pitr", "--into", system.place("x"))).toMatchObject({ code: exitCodes.usage });
    expect(await call("recover", "postgres", "latest")).toMatchObject({ code: exitCodes.usage });
    expect(await call("recover", "postgres", "latest", "--into", join(system.folder, "pg", "data"), "--force")).toMatchObject({ code: exitCodes.refused });
    expect(await call("recover", "postgres", "nothing", "--into", system.place("x"))).toMatchObject({ code: exitCodes.usage });
    // A store that is dead for this run alone: the archiver reaches both, so that nothing waits for it.
    const [r2, s3] = system.backends.map((backend) => ({ ...backend, endpoint: "localhost:9" }));
    const half = await configWith("half", [system.backends[0], s3]);
    expect(await callWith(half, "backup", "postgres", "incremental")).toMatchObject({ code: exitCodes.partial, data: { outcome: "partial" } });
    const none = await configWith("none", [r2, s3]);
    expect(await callWith(none, "backup", "postgres", "incremental")).toMatchObject({ code: exitCodes.unavailable, data: { error: { what: expect.stringMatching(/no repository took the backup: r2: .*refuses connections/) as string } } });
    expect(await callWith(none, "recover", "postgres", "latest", "--into", system.place("x"))).toMatchObject({ code: exitCodes.unavailable });
  });
});

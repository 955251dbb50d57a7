import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { registerCatalog } from "../../cli/commands/catalog.ts";
import { registerStatus } from "../../cli/commands/status.ts";
import { registerVerify } from "../../cli/commands/verify.ts";
import { exitCodes } from "../../runner/errors.ts";
import { testContext, type TestContext } from "../harness/context.ts";
import { temporaryFolder } from "../harness/temporary.ts";
import { copyFailed, copyOk, record } from "../runner/records.ts";
import { runCommand } from "./run-command.ts";

const now = new Date("2026-11-22T20:30:00Z");
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let context: TestContext;
const content = Buffer.from("sealed");
const older = record("redis", "snapshot", "2026-11-22T20:20:00Z", { copies: [copyOk("r2"), copyFailed("s3", "the store refuses connections")] });
const backup = record("redis", "snapshot", "2026-11-22T20:29:00Z");
const key = `redis/${backup.id}/dump.rdb.pgp`;
const withObject = { ...backup, objects: [{ key, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") }] };

beforeEach(async () => {
  folder = await temporaryFolder("cli");
  context = await testContext({ folder: join(folder.path, "run"), clock: { now: () => now }, config: { redis: { socket: "/nonexistent.sock", port: 6379, user: "backup" } } });
  for (const entry of [older, withObject]) await context.catalog.write(entry);
  for (const backend of context.backends) await backend.put(key, content);
});
afterEach(async () => {
  context.close();
  await folder.remove();
});

describe("dr catalog", () => {
  it("lists every record with its outcome and copies, and as JSON", async () => {
    const { human, data, exitCode } = await runCommand(registerCatalog, context, ["catalog", "list", "--store", "redis"]);
    expect(human).toMatch(new RegExp(`${older.id} .* partial +r2, s3 failed`));
    expect(human).toMatch(new RegExp(`${backup.id} .* ok +r2, s3`));
    expect(data).toMatchObject({ records: [{ id: older.id }, { id: backup.id }], problems: [] });
    expect(exitCode).toBe(0);
  });

  it("does not call a restore point failed, which has no copies that could", async () => {
    await context.catalog.write(record("postgres", "restore-point", "2026-11-22T20:29:30Z", { copies: [] }));
    const { human } = await runCommand(registerCatalog, context, ["catalog", "list", "--store", "postgres"]);
    expect(human).toMatch(/-postgres-restore-point-\w+ .* mark/);
    expect(human).not.toContain("failed");
  });

  it("names a damaged record and the backend that cannot be read, and says so with its exit code", async () => {
    await writeFile(join(folder.path, "run", "r2", "catalog", "redis", `${backup.id}.json`), "{");
    const damaged = await runCommand(registerCatalog, context, ["catalog", "list"]);
    expect(damaged.human).toContain(`damaged record catalog/redis/${backup.id}.json in r2`);
    expect(damaged.exitCode).toBe(exitCodes.partial);
    await rm(join(folder.path, "run", "s3"), { recursive: true });
    expect((await runCommand(registerCatalog, context, ["catalog", "list"])).human).toContain("s3 cannot be read");
  });

  it("shows one address per copy", async () => {
    const { human } = await runCommand(registerCatalog, context, ["catalog", "show", "latest"]);
    expect(human).toContain("r2: s3://bucket-of-r2/object");
    expect(human).toContain("s3: s3://bucket-of-s3/object");
    expect(human).toContain(`sha256 ${withObject.objects[0]?.sha256 ?? ""}`);
  });

  it("downloads, and refuses to do so twice into one folder", async () => {
    const to = join(folder.path, "down");
    const { human } = await runCommand(registerCatalog, context, ["catalog", "download", backup.id, "--to", to]);
    expect(human).toContain(join(to, backup.id, "dump.rdb.pgp"));
    expect(await readFile(join(to, backup.id, "dump.rdb.pgp"))).toEqual(content);
    await expect(runCommand(registerCatalog, context, ["catalog", "download", backup.id, "--to", to])).rejects.toMatchObject({ kind: "refused" });
  });

  it("names the nearest ids of one that is unknown", async () => {
    await expect(runCommand(registerCatalog, context, ["catalog", "show", "20261122T202900000Z-redis-snapshot-0001"])).rejects.toThrow(backup.id);
  });
});

describe("dr status", () => {
  it("shows each backend's newest copy, and ends with 0 while nothing is overdue", async () => {
    const { human, data } = await runCommand(registerStatus, context, ["status"]);
    expect(human).toMatch(/redis +snapshot +5 min +1 min ago, ok +r2 1 min, 1000 B; s3 1 min, 1000 B +ok/);
    expect(data).toMatchObject({ reachable: true, alarms: [] });
  });

  it("ends with 1 where a backend is gone, and names it", async () => {
    await rm(join(folder.path, "run", "s3"), { recursive: true });
    const { human, exitCode } = await runCommand(registerStatus, context, ["status"]);
    expect(exitCode).toBe(exitCodes.failed);
    expect(human).toContain("! backend s3 cannot be used: the folder does not exist");
  });

  it("ends with 5 where nothing can be reached", async () => {
    for (const backend of ["r2", "s3"]) await rm(join(folder.path, "run", backend), { recursive: true });
    const { human, exitCode } = await runCommand(registerStatus, context, ["status"]);
    expect(exitCode).toBe(exitCodes.unavailable);
    expect(human).not.toContain("no backup in any backend");
  });
});

describe("dr verify", () => {
  it("asks for a backup or --all, not both and not neither", async () => {
    await expect(runCommand(registerVerify, context, ["verify"])).rejects.toMatchObject({ kind: "usage" });
    await expect(runCommand(registerVerify, context, ["verify", backup.id, "--all"])).rejects.toMatchObject({ kind: "usage" });
  });

  it("ends with 1 where the copies cannot be restored, and names each", async () => {
    const { human, exitCode } = await runCommand(registerVerify, context, ["verify", backup.id]);
    expect(exitCode).toBe(exitCodes.failed);
    expect(human).toContain(`${backup.id}: NOT GOOD`);
    expect(human).toMatch(/r2: NOT GOOD.*s3: NOT GOOD.*1 of 1 backup not good/s);
  });
});

import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { registerArchive } from "../../../cli/commands/archive.ts";
import { backUpArchive } from "../../../runner/archive/back-up.ts";
import { GlacierVault } from "../../../runner/archive/glacier-vault.ts";
import { takeInventory } from "../../../runner/archive/inventory.ts";
import { planArchiveRecovery, recoverArchive } from "../../../runner/archive/recover.ts";
import { verifyArchive } from "../../../runner/archive/verify.ts";
import { outcomeOf, type BackupRecord } from "../../../runner/catalog/record.ts";
import { encryptBytes } from "../../../runner/encryption/openpgp.ts";
import { exitCodes } from "../../../runner/errors.ts";
import { fetchObject } from "../../../runner/fetch-object.ts";
import { writeToAll } from "../../../runner/storage/fan-out.ts";
import { runCommand } from "../../cli/run-command.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../harness/context.ts";
import { startFakeGlacier, type FakeGlacier } from "../../harness/glacier-server.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { temporaryFolder } from "../../harness/temporary.ts";
import { record } from "../records.ts";

const mebibyte = 1024 ** 2;
const folder = await temporaryFolder("archive");
const contexts: TestContext[] = [];
let glacier: FakeGlacier;
let credentialsFile = "";
let runs = 0;

beforeAll(async () => {
  glacier = await startFakeGlacier();
  credentialsFile = join(folder.path, "credentials");
  await writeDurably(credentialsFile, "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n", { mode: 0o600 });
});
afterAll(async () => {
  await glacier.close();
  await folder.remove();
});
beforeEach(() => {
  runs += 1;
  glacier.fault = () => undefined;
  for (const part of [glacier.archives, glacier.uploads, glacier.jobs, glacier.described]) part.clear();
});
afterEach(() => {
  for (const context of contexts.splice(0)) context.close();
});

const vault = () => ({ kind: "glacier-vault", name: "archive", region: "eu-west-1", vault: "blackroad-archive", accountId: "-", endpoint: glacier.url, credentialsFile }) as const;

async function context(more: Partial<TestContextOptions> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, `run-${runs}`), ...more, config: { archive: vault(), ...more.config } });
  contexts.push(made);
  return made;
}

/** A snapshot of Redis as its own job leaves it. */
async function backUp(run: TestContext, text = "content"): Promise<BackupRecord> {
  const id = run.catalog.newId("redis", "snapshot");
  const key = `redis/${id}/dump.rdb.pgp`;
  const { bytes, sha256, copies } = await writeToAll(run.backends, key, Readable.from([await encryptBytes(Buffer.from(text), await run.passphrase())]));
  const made = record("redis", "snapshot", run.clock.now().toISOString(), { id, objects: [{ key, bytes, sha256 }], copies });
  await run.catalog.write(made);
  return made;
}

const into = (name = "into"): string => join(folder.path, `${name}-${runs}`);
const finish = (): void => glacier.jobs.forEach((job) => void (job.done = true));
const options = (name?: string) => ({ backup: "latest", into: into(name), tier: "standard" as const });

describe("the weekly archive", () => {
  it("is one a week, and comes back hours later as a folder that other commands restore from", async () => {
    const run = await context();
    await backUp(run, "older");
    const newest = await backUp(run, "newest");
    const made = await backUpArchive(run);
    if (!made.done) throw new Error(made.why);
    expect(made.record).toMatchObject({ store: "archive", kind: "weekly", objects: [], copies: [{ backend: "archive", status: "ok" }], details: { backups: [{ store: "redis", backup: newest.id }] } });
    expect(Date.parse(made.record.expiresAt ?? "") - Date.parse(made.record.startedAt)).toBe(365 * 86_400_000);
    expect(made.leftOut.map(({ store }) => store)).toContain("postgres"); // this run has none
    expect(await backUpArchive(run)).toMatchObject({ done: false, backup: made.record.id });
    expect(glacier.archives.size).toBe(1);

    const plan = await planArchiveRecovery(run, "latest", "standard");
    expect(plan).toMatchObject({ expected: { from: 3 * 3_600, to: 5 * 3_600 }, backups: [{ backup: newest.id }] });
    expect(glacier.jobs.size).toBe(0); // a plan asks for nothing
    expect(await recoverArchive(run, options())).toMatchObject({ state: "waiting" });
    // Another process goes on with the same retrieval.
    expect(await recoverArchive(await context(), options())).toMatchObject({ state: "waiting" });
    expect([...glacier.jobs.values()]).toMatchObject([{ tier: "Standard" }]);
    await expect(readdir(into())).rejects.toThrow(/ENOENT/);
    finish();
    expect(await recoverArchive(await context(), options())).toMatchObject({ state: "restored", dir: into() });

    const restored = await testContext({ folder: join(folder.path, `restored-${runs}`), config: { backends: [{ kind: "folder", name: "r2", path: into() }], readOnly: true } });
    contexts.push(restored);
    const found = await restored.catalog.find("latest", { store: "redis" });
    expect(found).toEqual(newest);
    const [object] = found.objects;
    if (object === undefined) throw new Error("no object");
    await fetchObject(restored, found, object, join(folder.path, "plain"));
    expect(await readFile(join(folder.path, "plain"), "utf8")).toBe("newest");
  });

  it("is verified as far as can be without waiting for hours, and says so", async () => {
    const run = await context();
    await backUp(run);
    const made = await backUpArchive(run);
    if (!made.done) throw new Error(made.why);
    const { ok, copies } = await verifyArchive(run, made.record);
    expect(ok).toBe(true);
    expect(copies[0]?.checks[0]?.name).toMatch(/neither listed nor read/);
    glacier.fault = () => 403;
    expect((await verifyArchive(run, made.record)).ok).toBe(false);
  });

  it("is made of the copy that is whole", async () => {
    const run = await context();
    const { objects: [object] } = await backUp(run);
    const path = join(folder.path, `run-${runs}`, "r2", object?.key ?? "");
    const bytes = await readFile(path);
    bytes[30] = (bytes[30] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await backUpArchive(run)).toMatchObject({ done: true });
    expect(await recoverArchive(run, options())).toMatchObject({ state: "waiting" });
    finish();
    await recoverArchive(run, options());
    expect(await readFile(join(into(), object?.key ?? ""))).toEqual(await readFile(path.replace("/r2/", "/s3/")));
  });

  it("fails, with a record, where no copy is whole or nothing is there", async () => {
    const run = await context();
    await expect(backUpArchive(run)).rejects.toThrow(/nothing to archive/);
    const { objects: [object] } = await backUp(run);
    for (const name of ["r2", "s3"]) await rm(join(folder.path, `run-${runs}`, name, object?.key ?? ""));
    await expect(backUpArchive(run)).rejects.toThrow(/no copy is whole|cannot be read/);
    expect([glacier.archives.size, glacier.uploads.size]).toEqual([0, 0]);
    const { records } = await run.catalog.list({ store: "archive" });
    expect(records.map(outcomeOf)).toEqual(["failed", "failed"]);
  });

  it.each([[403], [500], ["cut"]] as const)("is not there where the vault answers %s, and is made by the next run", async (fault) => {
    const run = await context();
    await backUp(run);
    glacier.fault = (method, path) => (path.startsWith("/archives") ? fault : undefined);
    await expect(backUpArchive(run)).rejects.toThrow(/glacier:/);
    glacier.fault = () => undefined;
    expect(await backUpArchive(run)).toMatchObject({ done: true });
  });

  it("that was changed, cut off, or encrypted otherwise is never unpacked", async () => {
    const run = await context();
    await backUp(run);
    await backUpArchive(run);
    await recoverArchive(run, options());
    finish();
    glacier.fault = (_method, path) => (path.endsWith("/output") ? "cut-body" : undefined);
    await expect(recoverArchive(run, options())).rejects.toThrow();
    glacier.fault = () => undefined;
    await expect(recoverArchive({ ...run, passphrase: () => Promise.resolve("another") }, options())).rejects.toThrow(/passphrase does not open/);
    const [data] = glacier.archives.values();
    if (data === undefined) throw new Error("no archive");
    data[data.length - 40] = (data[data.length - 40] ?? 0) ^ 1;
    await expect(recoverArchive(run, options())).rejects.toThrow();
    expect(await readdir(into())).toEqual([]);
  });
});

describe("an inventory of the archive", () => {
  const inventory = (run: TestContext, ...args: string[]) => runCommand(registerArchive, run, ["archive", "inventory", ...args]);
  const lookedAt = (later = 0): void => void (glacier.listedAt = new Date(Date.now() + later));

  it("is asked for by one run, found by another, and agrees with the catalog", async () => {
    const run = await context();
    await backUp(run);
    await backUpArchive(run);
    lookedAt();
    expect(await inventory(run)).toMatchObject({ exitCode: exitCodes.partial, data: { state: "waiting" } });
    expect(await inventory(await context())).toMatchObject({ exitCode: exitCodes.partial });
    expect([...glacier.jobs.values()]).toMatchObject([{ archive: "", description: "blackroad-dr inventory" }]); // asked once
    finish();
    const { data, exitCode, human } = await inventory(await context());
    expect({ exitCode, data }).toMatchObject({ exitCode: 0, data: { state: "compared", ok: true, archives: 1, missing: [], differing: [], unknown: [], younger: [] } });
    expect(human).toMatch(/everything that is recorded is there, and nothing else$/);
    expect(await inventory(run, "--anew")).toMatchObject({ exitCode: exitCodes.partial });
    expect(glacier.jobs.size).toBe(2);
  });

  it("names what is missing, what is not as it was written, and what no record knows", async () => {
    const now = Date.now();
    const at = (days: number) => context({ clock: { now: () => new Date(now - days * 86_400_000) } });
    const [first, second, third, fourth] = [await at(21), await at(14), await at(7), await at(0)];
    const made: BackupRecord[] = [];
    for (const run of [first, second, third, fourth]) {
      await backUp(run);
      const result = await backUpArchive(run);
      if (!result.done) throw new Error(result.why);
      made.push(result.record);
    }
    const idOf = (place: number): string => String((made[place]?.details["reference"] as { archiveId?: string } | undefined)?.archiveId);
    for (const [place, days] of [[0, 21], [1, 14], [2, 7], [3, 0]] as const) glacier.described.set(idOf(place), { description: glacier.described.get(idOf(place))?.description ?? "", created: new Date(now - days * 86_400_000) });
    glacier.archives.delete(idOf(0));
    glacier.archives.set(idOf(1), Buffer.from("something else"));
    glacier.archives.set("left-by-a-killed-run", Buffer.from("x"));
    glacier.described.set("left-by-a-killed-run", { description: "blackroad-dr 2026-W01-x", created: new Date(now - 86_400_000) });
    lookedAt(-3_600_000);
    await inventory(fourth);
    finish();
    const { data, exitCode, human } = await inventory(fourth);
    expect(exitCode).toBe(exitCodes.failed);
    expect(data).toMatchObject({
      archives: 3, missing: [{ backup: made[0]?.id }], younger: [{ backup: made[3]?.id }],
      differing: [{ backup: made[1]?.id, why: expect.stringMatching(/^it has 14 bytes/) as string }, { backup: made[1]?.id, why: expect.stringMatching(/^its tree hash is/) as string }],
      unknown: [{ id: "left-by-a-killed-run", label: "blackroad-dr 2026-W01-x", bytes: 1 }],
    });
    expect(human).toContain(`MISSING: ${made[0]?.id ?? ""}`);
    expect(human).toContain("in no record: left-by-a-killed-run (blackroad-dr 2026-W01-x)");
  });

  it("is asked for again when it is forgotten, and a refusal is an error in words", async () => {
    const run = await context();
    await inventory(run);
    finish();
    glacier.fault = (_method, path) => (path.endsWith("/output") ? 403 : undefined);
    await expect(takeInventory(run, { anew: false })).rejects.toThrow(/denies access/);
    glacier.fault = () => undefined;
    glacier.jobs.clear(); // a day later it is forgotten
    expect(await takeInventory(run, { anew: false })).toMatchObject({ state: "waiting" });
  });
});

describe("a vault", () => {
  const store = async (bytes: number): Promise<Awaited<ReturnType<GlacierVault["store"]>> & { readonly data: Buffer }> => {
    const depot = await GlacierVault.open(vault(), mebibyte);
    const data = randomBytes(bytes);
    try {
      return { ...(await depot.store("label", Readable.from([data.subarray(0, 100), data.subarray(100)]), { expectedBytes: bytes, signal: new AbortController().signal })), data };
    } finally {
      depot.close();
    }
  };

  it("takes what is large in parts, each with its tree hash, and the whole with its own", async () => {
    const { reference, data } = await store(5 * mebibyte + 11);
    expect(glacier.archives.get(reference["archiveId"] ?? "")?.equals(data)).toBe(true);
    expect(glacier.uploads.size).toBe(0);
  });

  it("keeps nothing of an upload that failed", async () => {
    let parts = 0;
    glacier.fault = (method) => (method === "PUT" && (parts += 1) > 2 ? 403 : undefined);
    await expect(store(5 * mebibyte)).rejects.toThrow(/denies access/);
    expect([glacier.archives.size, glacier.uploads.size]).toEqual([0, 0]);
  });

  it("is rid of what killed runs left, by the next one whose time has come, and of nothing else's", async () => {
    const old = { partSize: mebibyte, created: new Date("2026-01-01"), parts: new Map() };
    glacier.uploads.set("ours", { ...old, description: "blackroad-dr 2026-W01" });
    glacier.uploads.set("others", { ...old, description: "somebody" });
    glacier.uploads.set("young", { ...old, description: "blackroad-dr now", created: new Date() });
    const run = await context();
    await backUp(run);
    expect(await backUpArchive(run)).toMatchObject({ done: true, abandoned: ["blackroad-dr 2026-W01"] });
    expect([...glacier.uploads.keys()].sort()).toEqual(["others", "young"]);
  });
});

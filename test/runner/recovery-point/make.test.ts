import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DrError } from "../../../runner/errors.ts";
import { backUpAll, type SystemBackup } from "../../../runner/recovery-point/make.ts";
import type { Part } from "../../../runner/recovery-point/parts.ts";
import { readRecoveryPoint } from "../../../runner/recovery-point/record.ts";
import { neededBy } from "../../../runner/retention/keep.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../harness/context.ts";
import { temporaryFolder } from "../../harness/temporary.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const redis = { socket: "/nonexistent.sock", port: 6379, user: "backup" };
const time = "2026-11-22T02:00:00.000Z";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const contexts: TestContext[] = [];

beforeEach(async () => {
  folder = await temporaryFolder("recovery-point");
});
afterEach(async () => {
  for (const context of contexts.splice(0)) context.close();
  await folder.remove();
});

async function context(more: Partial<TestContextOptions> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, "run"), config: { redis }, ...more });
  contexts.push(made);
  return made;
}

/** A store whose backup is a record that the test states. */
function store(name: string, more: Partial<Part> & { readonly at?: string; readonly copies?: ReturnType<typeof copyOk>[] } = {}): Part {
  const { at = time, copies = [copyOk("r2", 100), copyOk("s3", 100)], ...rest } = more;
  return {
    store: name, step: `backup of ${name}`, order: "before", needed: true,
    configured: () => true,
    backends: () => ["r2", "s3"],
    backUp: () => Promise.resolve(record(name, "snapshot", at, { copies })),
    ...rest,
  };
}

const failing = (name: string, error: unknown): Part => store(name, { backUp: () => Promise.reject(error instanceof Error ? error : new Error(String(error))) });

async function run(made: TestContext, parts: readonly Part[]): Promise<SystemBackup> {
  const result = await backUpAll(made, parts);
  if (result.outcome === "skipped") throw new Error(result.why);
  return result;
}

describe("a backup of the whole system", () => {
  it("names the newest good backup of what has a rhythm of its own, and needs none of it", async () => {
    const made = await context();
    const config = record("configuration", "snapshot", time);
    for (const one of [config, record("metrics", "snapshot", time, { copies: [copyFailed("r2")] })]) await made.catalog.write(one);
    const { outcome, point, record: written } = await run(made, [store("vault")]);
    expect([outcome, point.beside]).toEqual(["ok", [{ store: "configuration", backup: config.id, reachesTo: config.watermark.time }]]);
    expect(readRecoveryPoint(written)).toEqual(point);
    expect(neededBy(written)).not.toContain(config.id);
  });

  it("records one recovery point in every backend, with where it stands and what it adds up to", async () => {
    const made = await context();
    const { outcome, record: written, notRecorded } = await run(made, [store("vault"), store("vectors", { at: "2026-11-22T01:59:00.000Z" })]);
    expect({ outcome, notRecorded }).toEqual({ outcome: "ok", notRecorded: [] });
    expect(written).toMatchObject({ store: "system", kind: "recovery-point", sourceBytes: 20_000, watermark: { time: "2026-11-22T01:59:00.000Z" } });
    expect(written.copies).toMatchObject([{ backend: "r2", status: "ok", bytes: 200 }, { backend: "s3", status: "ok", bytes: 200 }]);
    const { records } = await made.catalog.list({ store: "system" });
    expect(records).toEqual([written]);
    expect(records.map(readRecoveryPoint)).toMatchObject([{ parts: [{ store: "vault", status: "saved" }, { store: "vectors", status: "saved" }], restorePoint: null }]);
  });

  it("goes on after a part that fails, and names it in every copy", async () => {
    const { outcome, record: written, point } = await run(await context(), [failing("vault", "Vault is sealed"), store("vectors")]);
    expect(outcome).toBe("failed");
    expect(point.parts).toMatchObject([{ store: "vault", status: "failed", error: "Vault is sealed" }, { store: "vectors", status: "saved" }]);
    expect(written.copies).toEqual([copyFailed("r2", "vault: Vault is sealed"), copyFailed("s3", "vault: Vault is sealed")]);
  });

  it("is partial where one backend lacks a part, and says which", async () => {
    const { outcome, record: written } = await run(await context(), [store("vault"), store("vectors", { copies: [copyOk("r2"), copyFailed("s3", "refused")] })]);
    expect(outcome).toBe("partial");
    expect(written.copies).toMatchObject([{ backend: "r2", status: "ok" }, { backend: "s3", status: "failed", error: "vectors: refused" }]);
  });

  it("leaves out stores that are not configured, and counts a part that was skipped as missing", async () => {
    const left = await run(await context(), [store("vault", { configured: () => false }), store("vectors")]);
    expect(left).toMatchObject({ outcome: "ok", point: { parts: [{ store: "vectors" }] } });
    const skipped = await run(await context(), [store("vault", { backUp: () => Promise.resolve({ skipped: "it is a replica" }) }), store("vectors")]);
    expect(skipped).toMatchObject({ outcome: "failed", point: { parts: [{ status: "failed", error: "was skipped: it is a replica" }, {}] } });
  });

  it("has nothing to do where every store has its leader elsewhere, and records nothing", async () => {
    const made = await context();
    const replica = store("vault", { backUp: () => Promise.resolve({ skipped: "it is a replica" }) });
    expect(await backUpAll(made, [replica])).toEqual({ outcome: "skipped", why: "vault: it is a replica" });
    expect((await made.catalog.list()).records).toEqual([]);
  });

  it("expects nothing of a backend that a store is not kept in", async () => {
    const { outcome, record: written } = await run(await context(), [store("vault"), store("vectors", { backends: () => ["s3"], copies: [copyOk("s3")] })]);
    expect(outcome).toBe("ok");
    expect(written.copies.map(({ backend }) => backend)).toEqual(["s3"]);
  });

  it("makes what comes before the restore point first, whatever the order of the list, and shows each step", async () => {
    const made = await context();
    const { point } = await run(made, [store("objects", { order: "after" }), store("vectors")]);
    expect(point.parts.map(({ store: name }) => name)).toEqual(["vectors", "objects"]);
    expect(made.reports.map(({ step }) => step)).toEqual(["1 of 2: backup of vectors", "2 of 2: backup of objects"]);
  });

  it("is partial where the record itself reaches one backend only", async () => {
    const made = await context();
    await rm(join(folder.path, "run", "s3"), { recursive: true });
    const { outcome, notRecorded } = await run(made, [store("vault")]);
    expect(outcome).toBe("partial");
    expect(notRecorded.map(({ backend }) => backend)).toEqual(["s3"]);
  });

  it("tells what failed also where no backend takes the record of it", async () => {
    const made = await context();
    for (const name of ["r2", "s3"]) await rm(join(folder.path, "run", name), { recursive: true });
    const { outcome, notRecorded, point } = await run(made, [failing("vault", "no backend took it")]);
    expect(outcome).toBe("failed");
    expect(notRecorded.map(({ backend }) => backend)).toEqual(["r2", "s3"]);
    expect(point.parts).toMatchObject([{ error: "no backend took it" }]);
  });

  it("refuses to do anything where it may only read, and where nothing is configured", async () => {
    const fails = (made: TestContext, parts: readonly Part[]) => backUpAll(made, parts).then(() => undefined, (error: unknown) => (error instanceof DrError ? error.kind : error));
    expect(await fails(await context({ config: { redis, readOnly: true } }), [store("vault")])).toBe("refused");
    expect(await fails(await context({ config: {} }), [store("vault", { configured: () => false })])).toBe("usage");
  });

  it("stops between two parts when it is interrupted, and records nothing", async () => {
    const interrupted = new AbortController();
    const made = await context({ signal: interrupted.signal });
    const asked: string[] = [];
    const stopping = store("vault", { backUp: () => (interrupted.abort(new Error("stopped")), Promise.reject(new Error("the work was cut off"))) });
    await expect(run(made, [stopping, store("vectors", { backUp: () => (asked.push("vectors"), Promise.reject(new Error("never"))) })])).rejects.toThrow("stopped");
    expect(asked).toEqual([]);
    expect((await made.catalog.list()).records).toEqual([]);
  });
});

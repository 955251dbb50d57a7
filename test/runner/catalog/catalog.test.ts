import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Catalog } from "../../../runner/catalog/catalog.ts";
import { seal, unseal } from "../../../runner/catalog/envelope.ts";
import { keyOf } from "../../../runner/catalog/ids.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { FolderBackend } from "../../../runner/storage/folder.ts";

let folder: string;
let now: Date;
let r2: FolderBackend;
let s3: FolderBackend;
let catalog: Catalog;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-"));
  now = new Date("2026-11-22T20:30:00.123Z");
  for (const name of ["r2", "s3"]) await mkdir(join(folder, name));
  r2 = new FolderBackend({ kind: "folder", name: "r2", path: join(folder, "r2") });
  s3 = new FolderBackend({ kind: "folder", name: "s3", path: join(folder, "s3") });
  catalog = new Catalog([r2, s3], { now: () => now });
});
afterEach(() => rm(folder, { recursive: true }));

function record(store: string, kind: string, changes: Partial<BackupRecord> = {}): BackupRecord {
  const time = now.toISOString();
  return {
    version: 1, id: catalog.newId(store, kind), store, kind, startedAt: time, finishedAt: time, watermark: { time }, sourceBytes: 12,
    objects: [{ key: "redis/x", bytes: 12, sha256: "00" }], encryption: "openpgp",
    copies: [{ backend: "r2", status: "ok", uri: "s3://r2/x", bytes: 12, seconds: 1 }], tools: { dr: "0.1.0" }, expiresAt: null, details: { runId: "7", keys: [1, 2] }, ...changes,
  };
}

async function write(store: string, kind: string, changes: Partial<BackupRecord> = {}): Promise<BackupRecord> {
  now = new Date(now.getTime() + 60_000);
  const made = record(store, kind, changes);
  await catalog.write(made);
  return made;
}

const pathOf = (backend: string, { store, id }: BackupRecord): string => join(folder, backend, keyOf(store, id));

describe("an id", () => {
  it("sorts by time and says what it is of", () => {
    expect(catalog.newId("redis", "snapshot")).toMatch(/^20261122T203000123Z-redis-snapshot-[0-9a-f]{4}$/);
    const first = catalog.newId("redis", "snapshot");
    now = new Date(now.getTime() + 1);
    expect(catalog.newId("agents", "checkpoint") > first).toBe(true);
    expect(() => catalog.newId("re/dis", "snapshot")).toThrow(/cannot stand in the id/);
  });
});

describe("a record", () => {
  it("reads back as it was written, from every backend", async () => {
    const made = await write("redis", "snapshot");
    expect(await catalog.list()).toEqual({ records: [made], problems: [] });
    for (const name of ["r2", "s3"]) expect(unseal(await readFile(pathOf(name, made)))).toEqual(made);
  });

  it("shows any single flipped byte", () => {
    const sealed = Buffer.from(seal(record("redis", "snapshot")));
    for (let place = 0; place < sealed.length; place += 1) {
      for (const mask of [0x01, 0x10, 0x80]) {
        const flipped = Buffer.from(sealed);
        flipped.writeUInt8(flipped.readUInt8(place) ^ mask, place);
        expect(unseal(flipped), `byte ${place}`).toHaveProperty("damage");
      }
    }
  });

  it("shows wherever it was cut", () => {
    const sealed = Buffer.from(seal(record("redis", "snapshot")));
    for (let length = 0; length < sealed.length; length += 1) expect(unseal(sealed.subarray(0, length)), `cut at ${length}`).toHaveProperty("damage");
  });

  it("has the same seal whatever the order of its fields", () => {
    const made = record("redis", "snapshot");
    expect(seal(Object.fromEntries(Object.entries(made).reverse()) as BackupRecord)).toBe(seal(made));
  });

  it.each([[2, /has version 2, and this dr knows 1: it was written by a newer one/], [0, /has version 0, and this dr knows 1: it was written by an older one/]])("of version %i, another than ours, is told from a damaged one, and hides no other", async (version, said) => {
    const [made, other] = [await write("redis", "snapshot"), await write("redis", "snapshot")];
    const text = (await readFile(pathOf("r2", made), "utf8")).replace('"version":1', `"version":${version}`);
    const inner = text.slice(text.indexOf('"record":') + 9, -2);
    const resealed = text.replace(/"sha256":"[0-9a-f]+"/, `"sha256":"${createHash("sha256").update(inner).digest("hex")}"`);
    expect(unseal(Buffer.from(resealed))).toEqual({ damage: expect.stringMatching(said) as string });
    for (const backend of ["r2", "s3"]) await writeFile(pathOf(backend, made), resealed);
    const { records, problems } = await catalog.list();
    expect(records.map(({ id }) => id)).toEqual([other.id]);
    expect(problems).toEqual(["r2", "s3"].map((backend) => ({ backend, key: `catalog/redis/${made.id}.json`, what: expect.stringMatching(said) as string })));
  });
});

describe("a listing", () => {
  it("merges the backends by id, newest last, and filters", async () => {
    const first = await write("redis", "snapshot");
    const second = await write("postgres", "full");
    const third = await write("redis", "snapshot");
    await rm(pathOf("r2", first));
    await rm(pathOf("s3", third));
    const ids = async (filter = {}) => (await catalog.list(filter)).records.map(({ id }) => id);
    expect(await ids()).toEqual([first.id, second.id, third.id]);
    expect(await ids({ store: "redis" })).toEqual([first.id, third.id]);
    expect(await ids({ kind: "full" })).toEqual([second.id]);
    expect(await ids({ since: new Date(second.startedAt) })).toEqual([second.id, third.id]);
    expect(await ids({ store: "redis", since: new Date(second.startedAt) })).toEqual([third.id]);
    expect(await ids({ until: new Date(second.startedAt) })).toEqual([first.id, second.id]);
  });

  it("names a record that is cut in half, and uses the other backend's", async () => {
    const made = await write("redis", "snapshot");
    const whole = await readFile(pathOf("r2", made));
    await writeFile(pathOf("r2", made), whole.subarray(0, whole.length / 2));
    const { records, problems } = await catalog.list();
    expect(records).toEqual([made]);
    expect(problems).toEqual([{ backend: "r2", key: keyOf("redis", made.id), what: expect.stringContaining("cut off or damaged") as string }]);
  });

  it("names a record that is damaged everywhere, and goes on without it", async () => {
    const made = await write("redis", "snapshot");
    const good = await write("redis", "snapshot");
    for (const name of ["r2", "s3"]) await writeFile(pathOf(name, made), (await readFile(pathOf(name, made), "utf8")).replace('"bytes":12', '"bytes":13'));
    const { records, problems } = await catalog.list();
    expect(records).toEqual([good]);
    expect(problems.map(({ backend, what }) => `${backend}: ${what}`)).toEqual(["r2: the record is damaged: its checksum does not match", "s3: the record is damaged: its checksum does not match"]);
    await expect(catalog.find(made.id)).rejects.toThrow(/cannot be used: .*checksum/);
  });

  it("names a record that differs between backends, and one under another's name", async () => {
    const made = await write("redis", "snapshot");
    await writeFile(pathOf("s3", made), seal({ ...made, sourceBytes: 99 }));
    const other = await write("redis", "snapshot");
    await writeFile(pathOf("s3", other), await readFile(pathOf("r2", made)));
    expect((await catalog.list()).problems.map(({ what }) => what)).toEqual([expect.stringContaining("differs"), expect.stringContaining("under another's name")]);
  });

  it("names a backend that cannot be read, and fails only where none can", async () => {
    const made = await write("redis", "snapshot");
    await rm(join(folder, "s3"), { recursive: true });
    const { records, problems } = await catalog.list();
    expect(records).toEqual([made]);
    expect(problems).toMatchObject([{ backend: "s3", what: expect.stringContaining("does not exist") as string }]);
    await rm(join(folder, "r2"), { recursive: true });
    await expect(catalog.list()).rejects.toMatchObject({ kind: "unavailable", what: expect.stringMatching(/r2.*s3|s3.*r2/) as string });
  });

  it("sees a record that changed since it was last read", async () => {
    const made = await write("redis", "snapshot");
    await catalog.list();
    await writeFile(pathOf("r2", made), "");
    expect((await catalog.list()).problems).toHaveLength(1);
  });
});

describe("finding a backup", () => {
  it("goes by its id, or names the nearest ones", async () => {
    const made = await write("redis", "snapshot");
    await write("postgres", "full");
    expect(await catalog.find(made.id)).toEqual(made);
    await expect(catalog.find(made.id.slice(0, -1))).rejects.toMatchObject({ kind: "usage", todo: expect.stringContaining(`The nearest: ${made.id}`) as string });
    await expect(catalog.find(made.id, { store: "postgres" })).rejects.toThrow(/there is no backup .* of postgres/);
  });

  it("takes the newest whose outcome is not failed as `latest`", async () => {
    await write("redis", "snapshot");
    const partial = await write("redis", "snapshot", { copies: [{ backend: "r2", status: "ok", uri: "u", bytes: 1, seconds: 1 }, { backend: "s3", status: "failed", error: "refused" }] });
    await write("redis", "snapshot", { copies: [{ backend: "r2", status: "failed", error: "refused" }] });
    await write("postgres", "full");
    expect((await catalog.find("latest", { store: "redis" })).id).toBe(partial.id);
    await expect(catalog.find("latest", { store: "vault" })).rejects.toThrow(/no usable backup of vault/);
  });

  it("in an empty catalog says what to do", async () => {
    await expect(catalog.find("20261122T203000123Z-redis-snapshot-4f2a")).rejects.toThrow(/empty: make a backup first/);
  });
});

describe("writing", () => {
  it("says which backend did not take the record, and throws where none did", async () => {
    await rm(join(folder, "s3"), { recursive: true });
    expect(await catalog.write(record("redis", "snapshot"))).toMatchObject({ failed: [{ backend: "s3" }] });
    await rm(join(folder, "r2"), { recursive: true });
    await expect(catalog.write(record("redis", "snapshot"))).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("is refused with credentials for reading", async () => {
    const reading = new Catalog([r2, s3], { now: () => now }, { readOnly: true });
    expect(reading.isReadOnly).toBe(true);
    await expect(reading.write(record("redis", "snapshot"))).rejects.toMatchObject({ kind: "refused" });
  });
});

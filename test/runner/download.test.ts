import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encryptStream } from "../../runner/encryption/openpgp.ts";
import { downloadBackup } from "../../runner/download.ts";
import type { BackupRecord } from "../../runner/catalog/record.ts";
import { testContext, type TestContext } from "../harness/context.ts";
import { temporaryFolder } from "../harness/temporary.ts";
import { copyFailed, copyOk, record } from "./records.ts";

const content = Buffer.from("what was in the store\n".repeat(1_000));
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let context: TestContext;
let backup: BackupRecord;
let sealed: Buffer;

beforeEach(async () => {
  folder = await temporaryFolder("download");
  context = await testContext({ folder: join(folder.path, "run") });
  sealed = Buffer.concat(await encryptStream(Readable.from([content]), await context.passphrase()).toArray());
  const id = "20261122T203000000Z-redis-snapshot-0000";
  const key = `redis/${id}/dump.rdb.pgp`;
  for (const backend of context.backends) await backend.put(key, sealed);
  backup = record("redis", "snapshot", "2026-11-22T20:30:00Z", { id, objects: [{ key, bytes: sealed.length, sha256: createHash("sha256").update(sealed).digest("hex") }] });
});
afterEach(async () => {
  context.close();
  await folder.remove();
});

const to = () => join(folder.path, "down");
const stored = (backend: string) => join(folder.path, "run", backend, backup.objects[0]?.key ?? "");
const target = (name: string) => join(to(), backup.id, name);

describe("downloading a backup", () => {
  it("brings its objects as they are stored, whole, and says from where", async () => {
    const { files } = await downloadBackup(context, backup, { to: to(), decrypt: false });
    expect(await readFile(target("dump.rdb.pgp"))).toEqual(sealed);
    expect(files).toMatchObject([{ path: target("dump.rdb.pgp"), bytes: sealed.length, from: `file://${stored("r2")}`, rejected: [] }]);
  });

  it("brings what the messages hold, when asked to decrypt", async () => {
    const { files } = await downloadBackup(context, backup, { to: to(), decrypt: true });
    expect(await readFile(target("dump.rdb"))).toEqual(content);
    expect(files[0]?.bytes).toBe(content.length);
    expect(await readdir(join(to(), backup.id))).toEqual(["dump.rdb"]);
  });

  it("takes the other copy where a byte of the first was flipped, and names the damaged one", async () => {
    const damaged = Buffer.from(sealed);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    await writeFile(stored("r2"), damaged);
    const { files } = await downloadBackup(context, backup, { to: to(), decrypt: false });
    expect(await readFile(target("dump.rdb.pgp"))).toEqual(sealed);
    expect(files[0]?.from).toContain("/s3/");
    expect(files[0]?.rejected).toMatchObject([{ backend: "r2" }]);
    expect(files[0]?.rejected[0]?.error).toContain("its sha256 is");
  });

  it("leaves nothing where no copy is whole, and says what is wrong with each", async () => {
    await writeFile(stored("r2"), sealed.subarray(0, 50));
    const broken = { ...backup, copies: [copyOk("r2"), copyFailed("s3", "connection refused")] };
    await expect(downloadBackup(context, broken, { to: to(), decrypt: false })).rejects.toThrow(/50 bytes, .* expected.*never written: connection refused/s);
    expect(await readdir(join(to(), backup.id))).toEqual([]);
  });

  it("refuses to overwrite, and leaves what is there as it was", async () => {
    await mkdir(join(to(), backup.id), { recursive: true });
    await writeFile(target("dump.rdb.pgp"), "mine");
    await expect(downloadBackup(context, backup, { to: to(), decrypt: false })).rejects.toMatchObject({ kind: "refused", where: target("dump.rdb.pgp") });
    expect(await readFile(target("dump.rdb.pgp"), "utf8")).toBe("mine");
  });

  it("refuses keys that would lead out of the folder", async () => {
    const evil = { ...backup, objects: [{ key: `redis/${backup.id}/../../../../etc/cron.d/x`, bytes: 1, sha256: "0" }] };
    await expect(downloadBackup(context, evil, { to: to(), decrypt: false })).rejects.toThrow(/no key for an object/);
  });

  it("says where pgBackRest keeps its backups, which are no objects of ours", async () => {
    const kept = { ...backup, store: "postgres", objects: [], copies: [{ ...copyOk("r2"), uri: "pgbackrest://r2/main/20261122-020000F" } as BackupRecord["copies"][number]] };
    await expect(downloadBackup(context, kept, { to: to(), decrypt: false })).rejects.toThrow("pgbackrest://r2/main/20261122-020000F");
  });

  it("names the folder that cannot be made", async () => {
    await writeFile(to(), "a file in its place");
    await expect(downloadBackup(context, backup, { to: to(), decrypt: false })).rejects.toMatchObject({ kind: "failed", where: join(to(), backup.id) });
  });
});

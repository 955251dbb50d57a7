import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRelay } from "../../../drill/environments/relay.ts";
import type { S3Server } from "../../../drill/environments/servers/s3.ts";
import { DrError } from "../../../runner/errors.ts";
import type { StorageBackend } from "../../../runner/storage/backend.ts";
import { writeToAll } from "../../../runner/storage/fan-out.ts";
import { FolderBackend } from "../../../runner/storage/folder.ts";
import { s3Installed } from "../../harness/s3.ts";
import { s3Backend, Stores } from "../../harness/stores.ts";

const mebibyte = 1024 ** 2;
const block = randomBytes(mebibyte);
let stores: Stores;
let first: S3Server;
let second: S3Server;

beforeAll(async () => {
  stores = await Stores.open();
  [first, second] = await Promise.all([stores.s3("first"), stores.s3("second")]);
});
afterAll(() => stores.close());

/** `count` MiB; `before` is told the number of each block as it is asked for. */
function blocks(count: number, before: (number: number) => Promise<void> | void = () => undefined): Readable {
  return Readable.from((async function* () {
    for (let number = 0; number < count; number += 1) {
      await before(number);
      yield block;
    }
  })(), { objectMode: false });
}

const sha256 = (count: number): string => {
  const hash = createHash("sha256");
  for (let number = 0; number < count; number += 1) hash.update(block);
  return hash.digest("hex");
};

async function holds(backend: StorageBackend, key: string): Promise<string | undefined> {
  if ((await backend.head(key)) === undefined) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of (await backend.get(key)) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

const statuses = (copies: readonly { readonly backend: string; readonly status: string }[]): string => copies.map(({ backend, status }) => `${backend} ${status}`).join(", ");
const errorOf = (copies: readonly { readonly status: string }[], index: number): string => {
  const copy = copies[index];
  return copy !== undefined && "error" in copy ? String(copy.error) : "";
};

describe.skipIf(!s3Installed)("one read of a source (needs versitygw)", () => {
  it("feeds S3 servers and a folder alike", async () => {
    const backends = [await s3Backend(first), await s3Backend(second), await stores.folderBackend("third")];
    let seen = 0;
    const result = await writeToAll(backends, "good/object", blocks(30), { expectedBytes: 30 * mebibyte, onBytes: (bytes) => (seen = bytes) });
    expect(result).toMatchObject({ bytes: 30 * mebibyte, sha256: sha256(30) });
    expect(statuses(result.copies)).toBe("first ok, second ok, third ok");
    expect(result.copies[0]).toMatchObject({ uri: "s3://bucket-first/good/object", bytes: 30 * mebibyte });
    expect(seen).toBe(30 * mebibyte);
    for (const backend of backends) expect(await holds(backend, "good/object")).toBe(sha256(30));
  });

  it("stores nothing at all as an empty object", async () => {
    const backends = [await s3Backend(first), await stores.folderBackend("third")];
    const { bytes, copies } = await writeToAll(backends, "empty/object", Readable.from([]));
    expect([bytes, statuses(copies)]).toEqual([0, "first ok, third ok"]);
    expect((await backends[0]?.head("empty/object"))?.bytes).toBe(0);
  });

  it("goes at the pace of the slowest", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint, bytesPerSecond: 20 * mebibyte });
    const backends = [await s3Backend(first), await s3Backend(second, { endpoint: `localhost:${relay.port}` })];
    let ahead = 0;
    const begun = performance.now();
    await writeToAll(backends, "paced/object", blocks(60, (number) => {
      ahead = Math.max(ahead, number - ((performance.now() - begun) / 1_000) * 20);
    }), { expectedBytes: 60 * mebibyte });
    expect(performance.now() - begun).toBeGreaterThan(2_500);
    expect(ahead).toBeLessThan(40); // what is buffered: three parts of 5 MiB, and the streams' own
    await relay.close();
  });
});

describe.skipIf(!s3Installed)("a backend that fails (needs versitygw)", () => {
  it("from the start (refused) is dropped, and the other's copy stands", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint });
    await relay.refuse();
    const good = await s3Backend(first);
    const { copies } = await writeToAll([good, await s3Backend(second, { endpoint: `localhost:${relay.port}` })], "refused/object", blocks(20));
    expect(statuses(copies)).toBe("first ok, second failed");
    expect(errorOf(copies, 1)).toMatch(/refuses connections/);
    expect(await holds(good, "refused/object")).toBe(sha256(20));
  });

  it("by a wrong key is dropped with that error", async () => {
    const { copies } = await writeToAll([await s3Backend(first), await s3Backend(second, { credentialsFile: first.writerCredentialsFile })], "key/object", blocks(20));
    expect(statuses(copies)).toBe("first ok, second failed");
    expect(errorOf(copies, 1)).toMatch(/does not know the access key/);
  });

  it("by SIGKILL in mid-upload is dropped, and has nothing to list when it is back", { timeout: 60_000 }, async () => {
    const doomed = await stores.s3("doomed");
    const good = await s3Backend(first);
    const { copies, sha256: digest } = await writeToAll([await s3Backend(doomed), good], "killed/object", blocks(60, (number) => (number === 30 ? doomed.kill() : undefined)), { expectedBytes: 60 * mebibyte });
    expect(statuses(copies)).toBe("doomed failed, first ok");
    expect(errorOf(copies, 0)).toMatch(/refuses connections|broke the connection off/);
    expect(await holds(good, "killed/object")).toBe(digest);
    const back = await stores.s3("doomed", { port: doomed.port });
    expect(await (await s3Backend(back)).head("killed/object")).toBeUndefined();
  });

  it("by taking nothing any more is dropped after the stall's time, and the others go on", { timeout: 60_000 }, async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint });
    const good = await stores.folderBackend("third");
    const { copies } = await writeToAll([good, await s3Backend(second, { endpoint: `localhost:${relay.port}` })], "stalled/object", blocks(60, (number) => (number === 20 ? relay.hang() : undefined)), { expectedBytes: 60 * mebibyte, stallSeconds: 2 });
    expect(statuses(copies)).toBe("third ok, second failed");
    expect(errorOf(copies, 1)).toMatch(/took nothing for 2 s/);
    await relay.close();
  });

  it("by hanging only at the very end is dropped too", { timeout: 60_000 }, async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint });
    const { copies } = await writeToAll([await s3Backend(first), await s3Backend(second, { endpoint: `localhost:${relay.port}` })], "end/object", blocks(3, (number) => (number === 2 ? relay.hang() : undefined)), { stallSeconds: 2 });
    expect(statuses(copies)).toBe("first ok, second failed");
    await relay.close();
  });

  it("is not one whose source is slow", async () => {
    const { copies } = await writeToAll([await s3Backend(first), await s3Backend(second)], "slow/object", blocks(3, (number) => (number === 2 ? new Promise((resolve) => setTimeout(resolve, 4_000)) : undefined)), { stallSeconds: 3 });
    expect(statuses(copies)).toBe("first ok, second ok");
  });

  it("together with all others ends the reading", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint });
    await relay.refuse();
    const source = blocks(10_000);
    const { bytes, copies } = await writeToAll([await s3Backend(second, { endpoint: `localhost:${relay.port}` }), new FolderBackend({ kind: "folder", name: "gone", path: "/nowhere" })], "all/object", source);
    expect(statuses(copies)).toBe("second failed, gone failed");
    expect(bytes).toBeLessThan(1_000 * mebibyte);
    expect(source.destroyed).toBe(true);
  });
});

describe.skipIf(!s3Installed)("a source that fails (needs versitygw)", () => {
  it("in the middle leaves nothing anywhere", async () => {
    const backends = [await s3Backend(first), await s3Backend(second), await stores.folderBackend("third")];
    const failing = blocks(60, (number) => {
      if (number === 40) throw new Error("the server went away");
    });
    await expect(writeToAll(backends, "source/object", failing, { expectedBytes: 60 * mebibyte })).rejects.toThrow(/the server went away/);
    for (const backend of backends) expect(await backend.head("source/object")).toBeUndefined();
  });

  it("by a signal leaves nothing anywhere, also when all was read already", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: second.endpoint, bytesPerSecond: 4 * mebibyte });
    const backends = [await s3Backend(first), await s3Backend(second, { endpoint: `localhost:${relay.port}` })];
    const stop = new AbortController();
    const source = blocks(12);
    source.once("close", () => setTimeout(() => stop.abort(new DrError({ kind: "interrupted", what: "stopped", where: "here", todo: "Nothing." })), 300));
    await expect(writeToAll(backends, "signal/object", source, { signal: stop.signal })).rejects.toMatchObject({ kind: "interrupted" });
    relay.setRate(undefined);
    for (const backend of backends) expect(await backend.head("signal/object")).toBeUndefined();
    await relay.close();
  });
});

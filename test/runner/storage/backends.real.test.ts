import { randomBytes } from "node:crypto";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../../drill/environments/certificates.ts";
import { startRelay } from "../../../drill/environments/relay.ts";
import type { S3Server } from "../../../drill/environments/servers/s3.ts";
import { run } from "../../../runner/system/process.ts";
import { isRoot } from "../../../runner/system/user.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import type { ListedObject, StorageBackend } from "../../../runner/storage/backend.ts";
import { readCredentials } from "../../../runner/storage/credentials.ts";
import { faultOf, type StorageFault } from "../../../runner/storage/faults.ts";
import { openBackend, openBackends } from "../../../runner/storage/open.ts";
import { s3Installed } from "../../harness/s3.ts";
import { folderConfig, s3Backend, s3Config, Stores } from "../../harness/stores.ts";

let stores: Stores;
let server: S3Server;
const mebibyte = 1024 ** 2;

beforeAll(async () => {
  stores = await Stores.open();
  server = await stores.s3("one");
});
afterAll(() => stores.close());

const listed = async (backend: StorageBackend, prefix: string, after?: string): Promise<ListedObject[]> => {
  const objects: ListedObject[] = [];
  for await (const object of backend.list(prefix, after)) objects.push(object);
  return objects;
};

async function faultFrom(work: () => Promise<unknown>): Promise<StorageFault | "none"> {
  try {
    await work();
    return "none";
  } catch (error) {
    return faultOf(error);
  }
}

/** Unfinished uploads, which a listing of objects does not show. */
const unfinished = async (): Promise<string[]> => {
  const folder = join(server.dataFolder, ".sgwtmp", "multipart");
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.includes("/"));
};

describe.skipIf(!s3Installed).each(["s3", "folder"] as const)("a backend of kind %s (needs versitygw)", (kind) => {
  let backend: StorageBackend;
  beforeAll(async () => {
    backend = kind === "s3" ? await s3Backend(server, { prefix: "drill" }) : await stores.folderBackend("plain");
  });
  afterAll(() => backend.close());

  it.each([0, 1, 5 * mebibyte, 5 * mebibyte + 1, 40 * mebibyte + 3])("stores %i bytes from a stream and gives them back", async (length) => {
    const data = randomBytes(length);
    expect(await backend.put("sizes/object", Readable.from([data.subarray(0, 7), data.subarray(7)], { objectMode: false }), { expectedBytes: length })).toEqual({ bytes: length });
    expect((await backend.read("sizes/object")).equals(data)).toBe(true);
    expect((await backend.head("sizes/object"))?.bytes).toBe(length);
  });

  it("gives one range of an object", async () => {
    const data = randomBytes(100_000);
    await backend.put("ranges/object", data);
    expect((await buffer(await backend.get("ranges/object", { offset: 40_000, length: 1_000 }))).equals(data.subarray(40_000, 41_000))).toBe(true);
    expect(await faultFrom(() => backend.get("ranges/object", { offset: 100_000, length: 1 }))).toBe("missing-object");
  });

  it("lists in the order of the keys, by prefix and after a key", async () => {
    const keys = ["order/a-b", "order/a.b", "order/a/b", "order/a0", "order/b/c/d", "order/é"];
    for (const key of keys) await backend.put(key, Buffer.from(key));
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await listed(backend, "order/")).map(({ key }) => key)).toEqual(sorted);
    expect((await listed(backend, "order/a/")).map(({ key }) => key)).toEqual(["order/a/b"]);
    expect((await listed(backend, "order/", "order/a0")).map(({ key }) => key)).toEqual(["order/b/c/d", "order/é"]);
    expect((await listed(backend, "order/b"))[0]).toMatchObject({ key: "order/b/c/d", bytes: 11 });
    expect(await listed(backend, "nothing/")).toEqual([]);
  });

  it("lists more than a page, and removes as many", { timeout: 120_000 }, async () => {
    const keys = Array.from({ length: 1_203 }, (_, index) => `many/${String(index).padStart(5, "0")}`);
    for (let from = 0; from < keys.length; from += 50) await Promise.all(keys.slice(from, from + 50).map((key) => backend.put(key, Buffer.from("x"))));
    expect((await listed(backend, "many/")).map(({ key }) => key)).toEqual(keys);
    await backend.remove(keys);
    expect(await listed(backend, "many/")).toEqual([]);
  });

  it("says that an object is missing, and removes it without complaint", async () => {
    expect(await backend.head("missing/object")).toBeUndefined();
    expect(await faultFrom(() => backend.get("missing/object"))).toBe("missing-object");
    await backend.remove(["missing/object"]);
  });

  it.each(["", "/etc/passwd", "../outside", "a/../../outside", "a//b", "a/", ".hidden", "a/.b", "a\0b", "a/b\\c"])("refuses the key %j", async (key) => {
    expect(await faultFrom(() => backend.put(key, Buffer.from("x")))).toBe("bad-key");
    expect(await faultFrom(() => backend.get(key))).toBe("bad-key");
  });

  it("leaves nothing of an object whose source fails", async () => {
    const failing = Readable.from((function* () {
      for (let count = 0; count < 20; count += 1) yield randomBytes(mebibyte);
      throw new Error("the source broke");
    })(), { objectMode: false });
    await expect(backend.put("failing/object", failing)).rejects.toThrow("the source broke");
    expect(await listed(backend, "failing/")).toEqual([]);
    expect(await unfinished()).toEqual([]);
  });

  it("leaves nothing of an object whose writing is stopped, though the source gives nothing more", async () => {
    const stop = new AbortController();
    let sent = 0;
    const stalling = new Readable({ read() { if ((sent += 1) <= 20) this.push(randomBytes(mebibyte)); else stop.abort(new Error("enough")); } });
    await expect(backend.put("stopped/object", stalling, { signal: stop.signal })).rejects.toThrow("enough");
    expect(stalling.destroyed).toBe(true);
    expect(await listed(backend, "stopped/")).toEqual([]);
    expect(await unfinished()).toEqual([]);
  });

  it("refuses a key that is longer than S3 allows, and one below an object", async () => {
    expect(await faultFrom(() => backend.put("x".repeat(1_025), Buffer.from("x")))).toBe("bad-key");
    await backend.put("below/object", Buffer.from("x"));
    expect(await faultFrom(() => backend.put("below/object/other", Buffer.from("x")))).toBe("bad-key");
  });

  it("counts its requests", async () => {
    const before = backend.requests;
    await backend.put("counted/object", Buffer.from("x"));
    await backend.read("counted/object");
    expect(backend.requests - before).toBe(2);
  });
});

describe.skipIf(!s3Installed)("an S3 backend that something is wrong with (needs versitygw)", () => {
  it("opens all the same, and its calls say that connections are refused", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: server.endpoint });
    await relay.refuse();
    const backend = await s3Backend(server, { endpoint: `localhost:${relay.port}` });
    expect(await faultFrom(() => backend.check())).toBe("refused");
    expect(await faultFrom(() => backend.put("x", Buffer.from("x")))).toBe("refused");
    expect(await faultFrom(() => listed(backend, ""))).toBe("refused");
    await relay.accept();
    await backend.check();
    await relay.close();
  });

  it("tells an unresolvable host", async () => {
    const backend = await s3Backend(server, { endpoint: "store.invalid:9000" });
    expect(await faultFrom(() => backend.check())).toBe("unresolvable");
  });

  it("tells an authority that did not sign, and a name that the certificate is not for", async () => {
    const foreign = await makeAuthority(join(stores.folder, "foreign"));
    expect(await faultFrom(async () => (await s3Backend(server, { caFile: foreign.certificate })).check())).toBe("untrusted");
    const relay = await startRelay({ listen: "127.0.0.2:0", to: server.endpoint });
    expect(await faultFrom(async () => (await s3Backend(server, { endpoint: `127.0.0.2:${relay.port}` })).check())).toBe("untrusted");
    await relay.close();
  });

  it("tells a server that does not speak TLS", async () => {
    const plain = createServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const bound = plain.address();
    const backend = await s3Backend(server, { endpoint: `localhost:${typeof bound === "object" ? (bound?.port ?? 0) : 0}` });
    expect(await faultFrom(() => backend.check())).toBe("untrusted");
    await new Promise<void>((resolve) => plain.close(() => resolve()));
  });

  it("tells a wrong key from a wrong secret in its words, and both from a right one", async () => {
    const wrong = async (name: string, text: string) => {
      await writeFile(join(stores.folder, name), text, { mode: 0o600 });
      const backend = await s3Backend(server, { credentialsFile: join(stores.folder, name) });
      return backend.check().then(() => "none", (error: unknown) => `${faultOf(error)}: ${String(error)}`);
    };
    const { accessKeyId, secretAccessKey } = await readCredentials(server.writerCredentialsFile);
    expect(await wrong("k1", `[default]\naws_access_key_id = nobody\naws_secret_access_key = ${secretAccessKey}\n`)).toMatch(/^wrong-key: .*does not know the access key/);
    expect(await wrong("k2", `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = wrong\n`)).toMatch(/^wrong-key: .*secret does not belong/);
    expect(await wrong("k3", `[other]\naws_access_key_id=a\naws_secret_access_key=b\n[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`)).toBe("none");
  });

  it("names a credentials file or an authority's file that is missing, as it is opened", async () => {
    await expect(openBackend(s3Config(server, { credentialsFile: "/nowhere/credentials" }))).rejects.toThrow("/nowhere/credentials");
    await expect(openBackend(s3Config(server, { caFile: "/nowhere/ca.crt" }))).rejects.toThrow("/nowhere/ca.crt");
    await expect(openBackend(s3Config(server, { endpoint: "http://localhost" }))).rejects.toThrow(/scheme/);
    expect(await openBackends({ backends: [s3Config(server), folderConfig("other", "/nowhere")] })).toHaveLength(2);
  });

  it("tells a bucket that does not exist", async () => {
    const backend = await s3Backend(server, { bucket: "no-such-bucket" });
    expect(await faultFrom(() => backend.check())).toBe("missing-bucket");
  });

  it("refuses a reader's writes and removals, and lets it read", async () => {
    const writer = await s3Backend(server);
    await writer.put("shared/object", Buffer.from("kept"));
    const reader = await s3Backend(server, { credentialsFile: server.readerCredentialsFile, endpoint: server.readerEndpoint });
    expect(String(await reader.read("shared/object"))).toBe("kept");
    expect(await listed(reader, "shared/")).toHaveLength(1);
    expect(await faultFrom(() => reader.put("shared/object", Buffer.from("changed")))).toBe("forbidden");
    expect(await faultFrom(() => reader.put("shared/large", Readable.from([randomBytes(20 * mebibyte)])))).toBe("forbidden");
    expect(await faultFrom(() => reader.remove(["shared/object"]))).toBe("forbidden");
    expect(String(await writer.read("shared/object"))).toBe("kept");
  });

  it("says in time that a server answers nothing", { timeout: 60_000 }, async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to: server.endpoint });
    relay.hang();
    const backend = await s3Backend(server, { endpoint: `localhost:${relay.port}` });
    const begun = performance.now();
    expect(await faultFrom(() => backend.check())).toBe("no-answer");
    expect(performance.now() - begun).toBeLessThan(20_000);
    await relay.close();
  });

  it("gives an error, not half an object, where a download is broken off", async () => {
    const writer = await s3Backend(server);
    await writer.put("broken/object", Readable.from([randomBytes(30 * mebibyte)]));
    const relay = await startRelay({ listen: "127.0.0.1:0", to: server.endpoint, bytesPerSecond: 20 * mebibyte });
    const backend = await s3Backend(server, { endpoint: `localhost:${relay.port}` });
    const stream = await backend.get("broken/object");
    const reading = faultFrom(() => buffer(stream));
    await relay.refuse();
    expect(await reading).toBe("broken-off");
    await relay.close();
  });

  it("reports the quota less everything in the bucket", async () => {
    const backend = await s3Backend(server, { quotaBytes: 10 ** 9, prefix: "quota" });
    const before = await backend.available();
    await backend.put("object", randomBytes(1_000_000));
    expect((before ?? 0) - ((await backend.available()) ?? 0)).toBe(1_000_000);
    expect(await (await s3Backend(server)).available()).toBeUndefined();
  });
});

describe.skipIf(!s3Installed)("a folder that something is wrong with (needs versitygw)", () => {
  it("is never made by a backup", async () => {
    const [backend] = await openBackends({ backends: [folderConfig("gone", join(stores.folder, "not-mounted"))] });
    expect(await faultFrom(async () => backend?.put("x", Buffer.from("x")))).toBe("missing-bucket");
    expect(await faultFrom(async () => backend?.check())).toBe("missing-bucket");
  });

  it("does not follow a link that leads out of it", async () => {
    const backend = await stores.folderBackend("linked");
    const outside = join(stores.folder, "outside");
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, "secret"), "secret");
    await symlink(outside, join(stores.folder, "folder-linked", "door"));
    expect(await faultFrom(() => backend.get("door/secret"))).toBe("bad-key");
    expect(await faultFrom(() => backend.put("door/new", Buffer.from("x")))).toBe("bad-key");
    expect(await listed(backend, "")).toEqual([]);
    expect(await readdir(outside)).toEqual(["secret"]);
  });

  it("keeps the old object until the new one is whole", async () => {
    const backend = await stores.folderBackend("replaced");
    await backend.put("object", Buffer.from("old"));
    await expect(backend.put("object", Readable.from((function* () {
      yield Buffer.from("half");
      throw new Error("broke");
    })()))).rejects.toThrow("broke");
    expect(String(await backend.read("object"))).toBe("old");
    await backend.put("object", Buffer.from("new"));
    expect(String(await backend.read("object"))).toBe("new");
  });
});

describe.skipIf(!isRoot() || !s3Installed)("a full disk (a small tmpfs; needs root and versitygw)", () => {
  const mount = async (name: string): Promise<string> => {
    const path = join(stores.folder, name);
    await mkdir(path, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", "size=24m", "none", path], { deadline: 10 });
    return path;
  };

  it("is told by a folder, which keeps nothing of the object", async () => {
    const path = await mount("small-folder");
    try {
      const backend = await openBackend(folderConfig("small", path));
      expect(await backend.available()).toBe(24 * mebibyte);
      expect(await faultFrom(() => backend.put("big", Readable.from([randomBytes(30 * mebibyte)])))).toBe("full");
      expect(await listed(backend, "")).toEqual([]);
      await backend.put("small", randomBytes(mebibyte));
    } finally {
      await run("umount", [path], { deadline: 10 });
    }
  });

  it("is told by an S3 server, which keeps nothing of the object", async () => {
    const path = await mount("small-s3");
    const small = await stores.s3("small", { folder: path });
    try {
      const backend = await s3Backend(small);
      expect(await faultFrom(() => backend.put("big", Readable.from([randomBytes(40 * mebibyte)])))).toBe("full");
      expect(await listed(backend, "")).toEqual([]);
      await waitFor("room for a small object", () => backend.put("small", randomBytes(mebibyte)), { within: 20 });
    } finally {
      await small.kill();
      await run("umount", [path], { deadline: 10 });
    }
  });
});

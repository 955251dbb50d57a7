import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream";
import { describe, expect, it } from "vitest";
import { Crc64 } from "../../../../runner/stores/redis/crc64.ts";
import { readRdbHeader } from "../../../../runner/stores/redis/rdb-header.ts";
import { RdbInspector } from "../../../../runner/stores/redis/rdb-inspector.ts";
import { databasesOf, parseInfo, watermarkOf } from "../../../../runner/stores/redis/server-state.ts";
import { loadedEnough } from "../../../../runner/stores/redis/recover.ts";

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
const aux = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0xfa]), text(name), text(value)]);
const database = Buffer.from([0xfe, 0, 0xfb, 2, 1]); // two keys, one of which expires
const keys = Buffer.concat([Buffer.from([0]), text("a"), text("1"), Buffer.from([0]), text("b"), text("x".repeat(50))]);

function rdb(parts: readonly Buffer[], { checksum = true }: { checksum?: boolean } = {}): Buffer {
  const body = Buffer.concat([Buffer.from("REDIS0010"), aux("redis-ver", "7.0.15"), ...parts, Buffer.from([0xff])]);
  return Buffer.concat([body, checksum ? new Crc64().update(body).digest() : Buffer.alloc(8)]);
}

async function inspect(bytes: Buffer, piece = 7, ended: () => Promise<unknown> = () => Promise.resolve()): Promise<{ out: Buffer; inspector: RdbInspector }> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, index) => bytes.subarray(index * piece, (index + 1) * piece));
  const inspector = new RdbInspector(ended, "a test");
  pipeline(Readable.from(chunks), inspector, () => undefined);
  return { out: await buffer(inspector), inspector };
}

const whole = rdb([database, keys]);
const mark = Buffer.from("0123456789abcdef0123456789abcdef01234567");

describe("CRC-64 of an RDB", () => {
  it("is Jones's, in one piece or in several", () => {
    const expected = "cad9b8c414d9c6e9"; // check value of the catalogue of CRCs, lowest byte first
    expect(new Crc64().update(Buffer.from("123456789")).digest().toString("hex")).toBe(expected);
    expect(new Crc64().update(Buffer.from("1234")).update(Buffer.from("56789")).digest().toString("hex")).toBe(expected);
  });
});

describe("a dump on its way", () => {
  it.each([1, 7, 49, 4_096])("passes unchanged in pieces of %i bytes and says what it holds", async (piece) => {
    const { out, inspector } = await inspect(whole, piece);
    expect(out.equals(whole)).toBe(true);
    expect(inspector.summary).toMatchObject({ bytes: whole.length, rdbVersion: 10, redisVersion: "7.0.15", first: { database: 0, keys: 2, expires: 1 }, empty: false });
  });

  it("loses the end mark of a diskless transfer", async () => {
    const { out, inspector } = await inspect(Buffer.concat([whole, mark]));
    expect(out.equals(whole)).toBe(true);
    expect(inspector.summary.bytes).toBe(whole.length);
  });

  it("passes where the server makes no checksums", async () => {
    const bare = rdb([database, keys], { checksum: false });
    expect((await inspect(Buffer.concat([bare, mark]))).out.equals(bare)).toBe(true);
  });

  it("fails at any length short of its end", async () => {
    for (let length = 0; length < whole.length; length++) await expect(inspect(whole.subarray(0, length))).rejects.toThrow(/not whole/);
  });

  it("fails with any byte flipped", async () => {
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x04, at);
      await expect(inspect(bytes)).rejects.toThrow(/not whole/);
    }
  });

  it("fails where whoever wrote it failed, though the bytes are all there", async () => {
    await expect(inspect(whole, 7, () => Promise.reject(new Error("redis-cli ended with exit code 1")))).rejects.toThrow(/exit code 1/);
  });
});

describe("the header of an RDB", () => {
  it("skips functions, and says when there is no database", () => {
    const functions = Buffer.concat([Buffer.from([0xf5]), text("#!lua name=l")]);
    expect(readRdbHeader(rdb([functions, database, keys]))?.first?.keys).toBe(2);
    expect(readRdbHeader(rdb([functions]))).toMatchObject({ empty: true, first: undefined });
  });

  it("reads long lengths and numbers", () => {
    const resized = Buffer.concat([Buffer.from([0xfe, 3, 0xfb, 0x80, 0, 1, 0, 0, 0x41, 0x02]), keys]);
    expect(readRdbHeader(rdb([Buffer.from([0xfa, 1, 0x61, 0xc1, 0x39, 0x30]), resized]))).toMatchObject({ aux: { a: "12345" }, first: { database: 3, keys: 65_536, expires: 258 } });
  });

  it("does not guess where it cannot skip, nor take anything else for an RDB", () => {
    expect(readRdbHeader(rdb([Buffer.from([0xf7, 1, 2]), database, keys]))?.first).toBeUndefined();
    expect(readRdbHeader(whole.subarray(0, 12))?.first).toBeUndefined();
    expect(readRdbHeader(Buffer.from("-ERR nothing here"))).toBeUndefined();
  });
});

describe("what a server says", () => {
  it("is read from INFO", () => {
    const info = parseInfo("# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb4:keys=2,expires=0,avg_ttl=0\r\n\r\n# Server\r\nexecutable:/a:b\r\n");
    expect(info.get("executable")).toBe("/a:b");
    expect([...databasesOf(info)]).toEqual([[0, { keys: 3, expires: 1 }], [4, { keys: 2, expires: 0 }]]);
  });

  it("of a replica reaches only to its primary's last word", () => {
    const time = new Date("2026-11-22T10:00:10Z");
    expect(watermarkOf({ time, primaryLink: undefined })).toEqual(time);
    expect(watermarkOf({ time, primaryLink: { up: true, silence: 4, of: "a:1" } })).toEqual(new Date("2026-11-22T10:00:05Z"));
  });
});

describe("a loaded dump", () => {
  it("may lack keys that can expire and no others", () => {
    const counts = { keys: 10, expires: 3, expired: 1 };
    expect([6, 7, 9, 10, 11].map((loaded) => loadedEnough(loaded, counts))).toEqual([false, true, true, true, false]);
  });
});

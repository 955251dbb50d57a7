import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { SnapshotInspector, type SnapshotSummary } from "../../../../runner/stores/vault/archive.ts";
import { filesOf, madeVault, snapshotOf, tarOf } from "./snapshots.ts";

const { entries } = madeVault(randomBytes(32));

async function inspect(archive: Uint8Array, piece = 1_000): Promise<{ readonly summary: SnapshotSummary; readonly out: Buffer; readonly keys: readonly string[] }> {
  const keys: string[] = [];
  const inspector = new SnapshotInspector("a test", ({ key }) => keys.push(key));
  const pieces = Array.from({ length: Math.ceil(archive.length / piece) }, (_, index) => archive.subarray(index * piece, (index + 1) * piece));
  const source = Readable.from(pieces);
  source.on("error", (error) => inspector.destroy(error));
  const out = await buffer(source.pipe(inspector));
  return { summary: inspector.summary, out, keys };
}

describe("a raft snapshot that runs through", () => {
  it.each([1, 7, 511, 512, 100_000])("comes out as it went in, and is understood, in pieces of %i bytes", async (piece) => {
    const archive = snapshotOf(entries);
    const { summary, out, keys } = await inspect(archive, piece);
    expect(out.equals(archive)).toBe(true);
    expect(keys).toEqual(entries.map(([key]) => key));
    expect(summary).toMatchObject({ bytes: archive.length, entries: 5, index: 71, term: 3, seal: { type: "static", keyId: "key-1", shares: 1, threshold: 1 } });
    expect(summary.seal?.rootKey).toMatch(/^[0-9a-f]{64}$/);
  });

  it("names Shamir's keys by how many there are, and no seal where there is none", async () => {
    const shamir = madeVault(randomBytes(32), "shamir");
    expect((await inspect(snapshotOf(shamir.entries))).summary.seal).toMatchObject({ type: "shamir", keyId: null, shares: 3, threshold: 2 });
    expect((await inspect(snapshotOf(entries.filter(([key]) => key !== "core/seal-config")))).summary.seal).toBeUndefined();
  });

  it("takes a large value, and one beside the hashes that are sealed", async () => {
    const large = [...entries, ["logical/z", randomBytes(3_000_000)] as const];
    expect((await inspect(snapshotOf(large), 65_536)).summary.entries).toBe(6);
    expect((await inspect(gzipSync(tarOf({ ...filesOf(entries), "SHA256SUMS.sealed": Buffer.from("x") })))).summary.entries).toBe(5);
  });

  it("ends in an error wherever it is cut off", async () => {
    const archive = snapshotOf(entries);
    for (const length of [0, 5, 20, 300, archive.length - 9, archive.length - 1]) await expect(inspect(archive.subarray(0, length)), String(length)).rejects.toThrow(/snapshot is not whole/);
    const unpacked = gunzipSync(archive);
    await expect(inspect(gzipSync(unpacked.subarray(0, unpacked.length - 1_024)))).rejects.toThrow(/archive is cut off/);
  });

  it("ends in an error at any byte that is flipped in what was packed", async () => {
    const unpacked = gunzipSync(snapshotOf(entries));
    for (let at = 600; at < unpacked.length - 1_100; at += 97) {
      const damaged = Buffer.from(unpacked);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const { keys, summary } = await inspect(gzipSync(damaged)).catch(() => ({ keys: undefined, summary: undefined }));
      // What fills a block belongs to no file.
      if (summary !== undefined) expect([unpacked[at], keys.length]).toEqual([0, 5]);
    }
  });

  it("takes no other archive for one", async () => {
    const files = filesOf(entries);
    const packed = (changed: Record<string, Uint8Array>) => inspect(gzipSync(tarOf(changed)));
    await expect(packed({ ...files, extra: Buffer.from("?") })).rejects.toThrow(/unexpected file "extra"/);
    await expect(packed({ "meta.json": files["meta.json"], "state.bin": files["state.bin"] })).rejects.toThrow(/no SHA256SUMS/);
    await expect(packed({ "meta.json": files["meta.json"], SHA256SUMS: files.SHA256SUMS })).rejects.toThrow(/no state.bin/);
    await expect(packed({ ...files, "meta.json": Buffer.from("{}\n") })).rejects.toThrow(/meta.json does not fit/);
    await expect(inspect(Buffer.from('{"errors":["permission denied"]}'))).rejects.toThrow(/snapshot is not whole/);
    await expect(inspect(Buffer.concat([snapshotOf(entries), Buffer.from("and more of it")]))).rejects.toThrow();
  });
});

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { KeyJudge, writtenAt, type Fate, type StoredVersion } from "../../../../runner/storage/rescue/choice.ts";
import { Lanes } from "../../../../runner/storage/rescue/lanes.ts";

const at = new Date("2026-11-22T12:00:00Z");
const minute = (n: number): Date => new Date(at.getTime() + n * 60_000);

/** A content unless it is a deletion; `n` is the minutes after the time that is gone back to. */
const entry = (n: number, changes: Partial<StoredVersion> = {}): StoredVersion => ({ key: "k", version: `v${n}`, writtenAt: minute(n), bytes: 1, etag: "", isDeletion: false, isNewest: false, ...changes });

function judge(...entries: readonly StoredVersion[]): Fate {
  const key = new KeyJudge("k", at);
  for (const one of entries) key.look(one);
  return key.fate;
}

describe("what was in force at a time", () => {
  it("is the newest content that was written by then, however often a thief wrote since", () => {
    expect(judge(entry(9, { isDeletion: true, isNewest: true }), entry(8), entry(7), entry(-1), entry(-5))).toMatchObject({ kind: "saved", content: { version: "v-1" } });
  });
  it("is what was written in the very moment", () => {
    expect(judge(entry(1), entry(0))).toMatchObject({ kind: "saved", content: { version: "v0" } });
  });
  it("is nothing where it had been deleted by then", () => {
    expect(judge(entry(3), entry(-1, { isDeletion: true }), entry(-2))).toEqual({ kind: "deleted", key: "k" });
  });
  it("is nothing where it came later", () => {
    expect(judge(entry(3), entry(2))).toEqual({ kind: "later", key: "k" });
  });
  it("is lost where only deletions since then are left", () => {
    expect(judge(entry(3), entry(2, { isDeletion: true }))).toEqual({ kind: "lost", key: "k" });
  });
  it("does not depend on the order in which deletions and contents are listed", () => {
    const entries = [entry(-3), entry(-2, { isDeletion: true }), entry(-1), entry(4, { isDeletion: true })];
    expect(judge(...entries.toReversed())).toEqual(judge(...entries));
    expect(judge(...entries)).toMatchObject({ content: { version: "v-1" } });
  });
  it("is the content where a deletion has the same second, unless the deletion is what holds today", () => {
    expect(judge(entry(-1, { isDeletion: true, version: "d" }), entry(-1))).toMatchObject({ kind: "saved" });
    expect(judge(entry(-1), entry(-1, { isDeletion: true, isNewest: true }))).toMatchObject({ kind: "deleted" });
  });
  it("is the first listed of two contents of the same second", () => {
    expect(judge(entry(-1, { version: "newer" }), entry(-1, { version: "older" }))).toMatchObject({ content: { version: "newer" } });
  });
});

describe("when a version was written", () => {
  it("is what S3 says", () => {
    expect(writtenAt("3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrH", at)).toEqual(at);
    expect(writtenAt("null", at)).toEqual(at);
    expect(writtenAt(undefined, at)).toEqual(at);
  });
  it("is the time in a ULID, of a gateway that tells of older versions when they were replaced", () => {
    // The example of the ULID specification: 1469918176385 ms.
    expect(writtenAt("01ARYZ6S41TSV4RRFFQ69G5FAV", at).getTime()).toBe(1_469_918_176_385);
  });
  it("is never later than the store says", () => {
    expect(writtenAt("7ZZZZZZZZZTSV4RRFFQ69G5FAV", at)).toEqual(at);
  });
});

describe("lanes", () => {
  const mebibyte = 1024 ** 2;

  it("run small work side by side, and big work by what it holds", async () => {
    const lanes = new Lanes();
    const running = { now: 0, most: 0 };
    const work = async () => {
      running.most = Math.max(running.most, (running.now += 1));
      await turn();
      running.now -= 1;
    };
    for (let n = 0; n < 100; n += 1) await lanes.begin(1_000, work);
    await lanes.end();
    expect(running.most).toBe(24);
    running.most = 0;
    for (let n = 0; n < 20; n += 1) await lanes.begin(500 * mebibyte, work);
    await lanes.end();
    expect(running.most).toBe(3);
  });

  it("begin nothing more once something has failed, and say what", async () => {
    const lanes = new Lanes();
    await lanes.begin(1, () => Promise.reject(new Error("full")));
    await turn();
    await expect(lanes.begin(1, () => Promise.reject(new Error("never begun")))).rejects.toThrow("full");
    await expect(lanes.end()).rejects.toThrow("full");
    await lanes.settle();
  });
});

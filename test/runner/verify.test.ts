import { describe, expect, it } from "vitest";
import { copyVerificationOf, verificationOf } from "../../runner/verification.ts";
import { recentBackups, withRecordProblems } from "../../runner/verify.ts";
import { copyFailed, record } from "./records.ts";

describe("the backups that --all means", () => {
  const now = new Date("2026-11-22T20:30:00Z");
  const records = [
    record("postgres", "full", "2026-11-20T02:00:00Z"),
    record("redis", "snapshot", "2026-11-22T19:50:00Z"),
    record("redis", "snapshot", "2026-11-22T20:20:00Z"),
    record("redis", "snapshot", "2026-11-22T20:25:00Z", { copies: [copyFailed("r2")] }),
    record("redis", "verification", "2026-11-22T20:26:00Z"),
  ];

  it("are those since the time, and the newest good one of each store and kind", () => {
    expect(recentBackups(records, new Date("2026-11-22T20:00:00Z"), now).map(({ id }) => id)).toEqual([records[0]?.id, records[2]?.id]);
    expect(recentBackups(records, new Date("2026-11-22T00:00:00Z"), now).map(({ id }) => id)).toEqual([records[0]?.id, records[1]?.id, records[2]?.id]);
  });
});

it("leaves out what may have been expired already", () => {
  const expired = record("postgres", "diff", "2026-11-01T00:00:00Z", { expiresAt: "2026-11-08T00:00:00Z" });
  expect(recentBackups([expired], new Date(0), new Date("2026-11-07T00:00:00Z"))).toEqual([expired]);
  expect(recentBackups([expired], new Date(0), new Date("2026-11-09T00:00:00Z"))).toEqual([]);
});

describe("a verification whose record is damaged", () => {
  const good = verificationOf("id-1", "redis", ["r2", "s3"].map((backend) => copyVerificationOf(backend, [{ name: "restored", ok: true }], [], 1)));

  it("fails in that backend, and names the record's key", () => {
    const judged = withRecordProblems(good, [{ backend: "s3", key: "catalog/redis/id-1.json", what: "cut in half" }]);
    expect(judged.ok).toBe(false);
    expect(judged.copies.map(({ backend, ok, errors }) => [backend, ok, errors])).toEqual([["r2", true, []], ["s3", false, ["catalog/redis/id-1.json in s3: cut in half"]]]);
  });

  it("is not touched by another record's damage", () => {
    expect(withRecordProblems(good, [{ backend: "s3", key: "catalog/redis/id-10.json", what: "cut in half" }, { backend: "s3", what: "down" }])).toBe(good);
  });
});

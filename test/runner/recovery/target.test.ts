import { describe, expect, it } from "vitest";
import { exitCodes, DrError } from "../../../runner/errors.ts";
import { checkedName, describeTarget, parsePointInTime, parseTarget } from "../../../runner/recovery/target.ts";

const now = new Date("2026-11-22T12:00:00Z");

describe("a point in time", () => {
  it.each([
    ["2026-11-22T11:18:20Z", "2026-11-22 11:18:20.000000+00", "2026-11-22T11:18:20.000Z"],
    ["2026-11-22 11:18:20Z", "2026-11-22 11:18:20.000000+00", "2026-11-22T11:18:20.000Z"],
    ["2026-11-22T11:18Z", "2026-11-22 11:18:00.000000+00", "2026-11-22T11:18:00.000Z"],
    ["2026-11-22T11:18:20.5Z", "2026-11-22 11:18:20.500000+00", "2026-11-22T11:18:20.500Z"],
    ["2026-11-22T11:18:20.123456Z", "2026-11-22 11:18:20.123456+00", "2026-11-22T11:18:20.123Z"],
    ["2026-11-22T11:18:20.123456789Z", "2026-11-22 11:18:20.123456+00", "2026-11-22T11:18:20.123Z"],
    ["2026-11-22 13:18:20.212018+02", "2026-11-22 11:18:20.212018+00", "2026-11-22T11:18:20.212Z"],
    ["2026-11-22T13:18:20+02:00", "2026-11-22 11:18:20.000000+00", "2026-11-22T11:18:20.000Z"],
    ["2026-11-22T05:48:20-0530", "2026-11-22 11:18:20.000000+00", "2026-11-22T11:18:20.000Z"],
    ["2026-11-21T23:30:00-02:00", "2026-11-22 01:30:00.000000+00", "2026-11-22T01:30:00.000Z"],
    ["2026-11-22 11:18:20 UTC", "2026-11-22 11:18:20.000000+00", "2026-11-22T11:18:20.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29 00:00:00.000000+00", "2024-02-29T00:00:00.000Z"],
  ])("%s is %s", (text, postgres, iso) => {
    const { date, ...rest } = parsePointInTime(text, now);
    expect(rest).toEqual({ postgres });
    expect(date.toISOString()).toBe(iso);
  });

  it("without a zone is UTC, and says so", () => {
    expect(parsePointInTime("2026-11-22 11:18:20", now)).toMatchObject({ postgres: "2026-11-22 11:18:20.000000+00", note: "2026-11-22 11:18:20 names no zone and is taken as UTC" });
  });

  it.each(["", "yesterday", "2026-11-22", "11:18:20", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T11:60:00Z", "2026-11-22T11:18:60Z", "2026-11-22T11:18:20+16:00", "2026-11-22T11:18:20+01:75", "2026-11-22T11:18:20 CET", "1795381100", "2026-11-22T11:18:20Z; DROP"])("%j is not a time", (text) => {
    expect(() => parsePointInTime(text, now)).toThrow(/is not a time/);
  });

  it("in the future is refused with the present time", () => {
    expect(() => parsePointInTime("2026-11-22T12:00:00.001Z", now)).toThrow(/is in the future: it is 2026-11-22T12:00:00.000Z now/);
    expect(() => parsePointInTime("2026-11-22T12:30:00-01:00", now)).toThrow(/in the future/);
    expect(parsePointInTime("2026-11-22T12:00:00Z", now).date).toEqual(now);
  });
});

describe("a target", () => {
  it("is the latest without options", () => {
    expect(parseTarget({}, now)).toEqual({ kind: "latest" });
  });

  it.each([
    [{ xid: "735" }, { kind: "xid", xid: 735n }, "transaction 735"],
    [{ xid: "18446744073709551615" }, { kind: "xid", xid: 2n ** 64n - 1n }, "transaction 18446744073709551615"],
    [{ lsn: "16/B374D848" }, { kind: "lsn", lsn: 0x16_b374_d848n }, "LSN 16/B374D848"],
    [{ lsn: "0/a018ff0" }, { kind: "lsn", lsn: 0xa01_8ff0n }, "LSN 0/A018FF0"],
    [{ name: "before the change" }, { kind: "name", name: "before the change" }, "restore point before the change"],
  ])("%j is understood", (options, target, words) => {
    expect(parseTarget(options, now)).toEqual(target);
    expect(describeTarget(parseTarget(options, now))).toBe(words);
  });

  it.each([
    [{ xid: "2" }, /no transaction id/],
    [{ xid: "-5" }, /no transaction id/],
    [{ xid: "0x10" }, /no transaction id/],
    [{ xid: "18446744073709551616" }, /no transaction id/],
    [{ lsn: "16B374D848" }, /no LSN/],
    [{ lsn: "1/123456789" }, /no LSN/],
    [{ lsn: "g/0" }, /no LSN/],
    [{ name: "" }, /no name of a restore point/],
    [{ name: "x".repeat(64) }, /1 to 63 bytes/],
    [{ name: "é".repeat(32) }, /1 to 63 bytes/],
    [{ name: "a\nb" }, /no name/],
    [{ time: "2026-11-22T11:00:00Z", xid: "735" }, /more than one target: --time and --xid/],
    [{ lsn: "0/1", name: "n" }, /more than one target: --lsn and --name/],
  ])("%j is refused", (options, message) => {
    const parse = () => parseTarget(options, now);
    expect(parse).toThrow(message);
    expect(parse).toThrow(DrError);
    try {
      parse();
    } catch (error) {
      expect(error).toMatchObject({ exitCode: exitCodes.usage });
    }
  });

  it("takes a name of exactly 63 bytes", () => {
    expect(checkedName("x".repeat(63))).toHaveLength(63);
  });
});

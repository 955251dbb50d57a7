import { describe, expect, it } from "vitest";
import { parseTime } from "../../../cli/options/time.ts";

describe("a time on the command line", () => {
  it.each([
    ["2026-11-22 20:30", "2026-11-22T20:30:00.000Z"],
    ["2026-11-22T20:30:05.250Z", "2026-11-22T20:30:05.250Z"],
    ["2026-11-22 20:30:05 UTC", "2026-11-22T20:30:05.000Z"],
    ["2026-11-22 20:30:05+02", "2026-11-22T18:30:05.000Z"],
    ["2026-11-22T20:30:05-0130", "2026-11-22T22:00:05.000Z"],
    ["2026-11-22", "2026-11-22T00:00:00.000Z"],
  ])("%s means %s", (text, expected) => {
    expect(parseTime(text).toISOString()).toBe(expected);
  });

  it.each(["yesterday", "", "2026-02-30 10:00", "2026-13-01", "2026-11-22 25:00", "20:30", "2026-11-22 20:30 CET", "1795380654"])("%j is none", (text) => {
    expect(() => parseTime(text)).toThrow(/a time is expected/);
  });
});

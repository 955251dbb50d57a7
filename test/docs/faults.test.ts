import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { wrongTests } from "./named-tests.ts";

const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "faults.md"), "utf8");
const rows = text.split("\n").filter((line) => line.startsWith("| ")).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
/** A row of a fault has its name in bold; one of the table of kills has not. */
const faults = rows.filter(([name = ""]) => name.startsWith("**")).map(([name = "", seen = "", tests = ""]) => ({ name: name.replaceAll("**", ""), seen, tests }));
const kills = rows.filter((cells) => cells.length === 4 && /^\d+(,|$)/.test(cells[2] ?? ""));

/** What is tried for real; more may be. */
const asked = [
  "a job is killed", "a backend takes nothing", "a backend is slow", "a backend answers 500, 403, 404, or half", "a disk is full", "a clock is an hour wrong",
  "a certificate has expired", "a passphrase is wrong", "two of one job run at once", "a backup is older than the format of records",
  "a thief has the writer's credentials", "all of AWS is gone",
];

describe("the table of faults", () => {
  it("has each of them, with what was seen", () => {
    expect(asked.filter((name) => !faults.some((fault) => fault.name === name))).toEqual([]);
    expect(faults.filter(({ seen }) => seen.length < 20)).toEqual([]);
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  });

  it("names the tests that try each, by a part of their own words", () => {
    expect(faults.flatMap(({ name, tests }) => wrongTests(tests).map((what) => `${name}: ${what}`))).toEqual([]);
  });
});

describe("the table of kills", () => {
  it("has as many as it says, and every next run was good, or what was not is mended and told", () => {
    const [, said = "", jobs = ""] = /(\d+) kills of (\d+) jobs, seed \d+/.exec(text) ?? [];
    expect(kills.reduce((sum, [, , times = ""]) => sum + Number.parseInt(times, 10), 0)).toBe(Number(said));
    expect(kills.filter(([job]) => job !== "").length).toBe(Number(jobs));
    expect(Number(jobs)).toBeGreaterThan(11);
    const bad = kills.filter(([, , , next]) => next !== "good");
    expect(bad.filter(([, , , next = ""]) => !next.endsWith(", mended since"))).toEqual([]);
    if (bad.length > 0) expect(text).toContain("**What the kills found.**");
  });
});

import { describe, expect, it } from "vitest";
import { renderReport } from "../../../drill/report/terminal.ts";
import { textTable } from "../../../drill/report/text-table.ts";
import { badReport, goodReport, hotRun } from "./fixture.ts";

const escape = "\u001b";
const widest = (text: string) => Math.max(...text.split("\n").map((line) => Array.from(line).length));

describe("the report on a terminal", () => {
  it("shows promised, predicted and measured of every store in one row each", () => {
    const lines = renderReport(goodReport).split("\n");
    expect(lines.some((line) => /^postgres +region +RPO +1 min 30 s +1 s +40 ms +kept$/.test(line))).toBe(true);
    expect(lines.some((line) => /^ +RTO +5 min +14 s +11 s +kept$/.test(line))).toBe(true);
    expect(lines.some((line) => /^vault .* not measured +not measured$/.test(line))).toBe(true);
  });

  it("names faults, agents, what was skipped with its reason, and where the predictions come from", () => {
    const text = renderReport(goodReport);
    for (const part of ["fault: SIGKILL of every server of us-east-1", "30,000 of 30,000", "store vault: no bao or vault program on this machine", "0 left over", "predictions: measured on this machine", "accepted: redis RPO up to 31 s"]) expect(text).toContain(part);
  });

  it("says first why a drill failed", () => {
    const [first, , reason] = renderReport(badReport).split("\n");
    expect(first).toContain("FAILED");
    expect(reason).toContain("pgbackrest ended with 29");
  });

  it("fits into 100 columns, also with long names", () => {
    const long = { ...hotRun, stores: hotRun.stores.map((store) => ({ ...store, recoveredFrom: `s3://${"bucket/".repeat(40)}` })) };
    for (const report of [goodReport, badReport, { ...goodReport, runs: [long] }]) expect(widest(renderReport(report))).toBeLessThanOrEqual(100);
  });

  it("paints only when asked", () => {
    expect(renderReport(badReport)).not.toContain(escape);
    expect(renderReport(badReport, { colour: true })).toContain(`${escape}[31;1m`);
  });

  it("lets no name move the cursor or forge a line", () => {
    const hostile = { ...hotRun, faults: [`${escape}[2Jgone\nleftovers: 0`], scenario: `${escape}[31m`, error: `a${escape}[1Ab` };
    const text = renderReport({ ...goodReport, passed: false, name: `x${escape}[2J`, environment: `e${escape}c`, runs: [hostile] });
    expect(text).not.toContain(escape);
    expect(text.split("\n")).not.toContain("leftovers: 0");
  });

  it("does not call a run recovered that never was", () => {
    const text = renderReport({ ...goodReport, passed: false, runs: [{ ...hotRun, passed: false, error: "no backup", stores: [], objectives: [], rtoSeconds: 0 }] });
    expect(text).toContain("RTO of the system not recovered");
  });
});

describe("a text table", () => {
  it("lines figures up to the right and wraps texts instead of cutting them", () => {
    const table = textTable([{ title: "name" }, { title: "bytes", align: "right" }], [["a name that is much longer than there is room", "12"], ["b", "1,024"]], 30);
    expect(table.every((line) => Array.from(line).length <= 30)).toBe(true);
    expect(table.slice(2).join(" ").replaceAll(/ +/g, " ")).toContain("longer than there is");
    expect(table.at(-1)?.endsWith("1,024")).toBe(true);
  });
});

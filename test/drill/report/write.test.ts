import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reportSchema } from "../../../drill/report/model.ts";
import { prepareReportFolder, writeReport } from "../../../drill/report/write.ts";
import { DrError } from "../../../runner/errors.ts";
import { badReport, goodReport } from "./fixture.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "dr-report-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("the report's files", () => {
  it("are report.json, which reads back as it was, and report.html, and nothing else", async () => {
    const paths = await writeReport(join(folder, "new", "deep"), goodReport);
    expect(await readdir(join(folder, "new", "deep"))).toEqual(["report.html", "report.json"]);
    expect(reportSchema.parse(JSON.parse(await readFile(paths.json, "utf8")))).toEqual(goodReport);
    expect(await readFile(paths.html, "utf8")).toContain("<!doctype html>");
  });

  it("replace those of an earlier drill", async () => {
    await writeReport(folder, goodReport);
    const { json } = await writeReport(folder, badReport);
    expect(JSON.parse(await readFile(json, "utf8"))).toMatchObject({ passed: false });
  });

  it("keep the figures where the page cannot be made of them", async () => {
    const broken = { ...goodReport, runs: goodReport.runs.map((run) => ({ ...run, rtoSeconds: NaN })) };
    await expect(writeReport(folder, broken)).rejects.toThrow(DrError);
    expect(await readdir(folder)).toEqual(["report.json"]);
  });

  it("name the folder where they cannot be written", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(prepareReportFolder(file)).rejects.toMatchObject({ kind: "failed", where: file });
    await expect(writeReport(file, goodReport)).rejects.toMatchObject({ kind: "failed", where: file });
  });

  it("can be prepared for before the drill, which leaves the folder empty", async () => {
    await prepareReportFolder(join(folder, "new"));
    expect(await readdir(join(folder, "new"))).toEqual([]);
  });
});

describe("report.json", () => {
  it("has exactly the design's fields as mandatory ones among its own", () => {
    const [run] = goodReport.runs;
    expect(Object.keys(goodReport)).toEqual(expect.arrayContaining(["passed", "environment", "scale", "leftovers", "skipped", "runs"]));
    expect(Object.keys(run ?? {})).toEqual(expect.arrayContaining(["scenario", "tier", "faults", "passed", "rtoSeconds", "stores", "objectives", "steps", "agents"]));
    for (const field of ["passed", "environment", "scale", "leftovers", "skipped", "runs"]) expect(reportSchema.safeParse({ ...goodReport, [field]: undefined }).success).toBe(false);
  });

  it("takes null for what was not measured, and refuses a negative or unknown figure", () => {
    const [row] = goodReport.runs[1]?.objectives ?? [];
    const withMeasured = (measured: unknown) => reportSchema.safeParse({ ...goodReport, runs: [{ ...goodReport.runs[1], objectives: [{ ...row, rpo: { ...row?.rpo, measured } }] }] }).success;
    expect(withMeasured(null)).toBe(true);
    expect(withMeasured(-1)).toBe(false);
    expect(withMeasured(undefined)).toBe(false);
  });
});

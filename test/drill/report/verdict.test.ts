import { describe, expect, it } from "vitest";
import type { DrillReport } from "../../../drill/report/model.ts";
import { complaintsOf, complaintsOfReport, verdictOf } from "../../../drill/report/verdict.ts";
import { badReport, goodReport, hotRun, warmRun } from "./fixture.ts";

const figure = { objective: 60, predicted: 20, measured: 15 };

describe("the verdict on a figure", () => {
  it("keeps a promise up to the very second, and no further", () => {
    expect(verdictOf({ ...figure, objective: 15 }).promise).toBe("kept");
    expect(verdictOf({ ...figure, objective: 14.999 }).promise).toBe("broken");
  });

  it("calls an objective that is missed within its acceptance accepted, and beyond it broken", () => {
    const accepted = { upTo: 15, reason: "facts F7" };
    expect(verdictOf({ ...figure, objective: 0, accepted })).toEqual({ promise: "accepted", prediction: "honest", ok: true });
    expect(verdictOf({ ...figure, objective: 0, measured: 15.1, accepted }).promise).toBe("broken");
  });

  it("holds a prediction to be honest from the measurement to twice it plus 10 s", () => {
    expect(verdictOf({ ...figure, predicted: 15 }).prediction).toBe("honest");
    expect(verdictOf({ ...figure, predicted: 14.9 }).prediction).toBe("too low");
    expect(verdictOf({ ...figure, predicted: 40 }).prediction).toBe("honest");
    expect(verdictOf({ ...figure, predicted: 40.1 })).toEqual({ promise: "kept", prediction: "too high", ok: false });
  });

  it("never takes what was not measured for zero", () => {
    expect(verdictOf({ ...figure, measured: null })).toEqual({ promise: "not measured", prediction: "not measured", ok: true });
    expect(verdictOf({ objective: 0, predicted: 0, measured: 0 }).promise).toBe("kept");
  });
});

describe("what speaks against a drill", () => {
  it("is nothing where all was kept", () => {
    expect(complaintsOf(hotRun)).toEqual([]);
    expect(complaintsOfReport(goodReport)).toEqual([]);
  });

  it("names every broken promise, dishonest prediction, missing agent, failed proof, finding, error and leftover", () => {
    const all = complaintsOfReport(badReport).join("\n");
    for (const part of ["pgbackrest ended with 29", "RPO measured 2 min 2 s, promised 1 min 30 s", "predicted only 8 s", "RTO predicted 3 min 10 s", "129 of 30,000 agents", "29,871 of 30,000", "129 rows differ", "process 4711 redis-server", "dr drill sweep"]) expect(all).toContain(part);
  });

  it("is that nothing was run, where nothing was", () => {
    const empty: DrillReport = { ...goodReport, runs: [] };
    expect(complaintsOfReport(empty)).toEqual(["no scenario was run"]);
  });

  it("does not hold what was not measured against a run", () => {
    expect(warmRun.objectives.some((row) => row.rpo.measured === null)).toBe(true);
    expect(complaintsOf(warmRun)).toEqual([]);
  });
});

import { join } from "node:path";
import { expect, it } from "vitest";
import { keepReport } from "../../drill/keep-report.ts";
import type { DrillReport, DrillRun } from "../../drill/report/model.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { drillIn } from "../../runner/drill-record.ts";
import { catalogFacts } from "../../runner/metrics/facts.ts";
import { testContext } from "../harness/context.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const figure = (measured: number | null) => ({ objective: 60, predicted: 50, measured, basis: "a test" });
const run = (scenario: string, passed: boolean): DrillRun => ({
  scenario, tier: "warm", faults: [], passed, rtoSeconds: 42, stores: [], steps: [], agents: { expected: 10, recovered: 10 }, startedAt: "2026-11-22T10:00:00.000Z",
  objectives: [{ store: "redis", scope: "region", rpo: figure(12), rto: figure(null) }],
  faultLog: [], disasterAt: 1, detectSeconds: 0, decideSeconds: 0, predictions: { source: "a test" }, evidence: [], integrity: [], replicationLag: null, error: passed ? null : "it failed",
});
const report = (runs: DrillRun[], leftovers = 0): DrillReport => ({ passed: true, environment: "local", scale: { intervals: 20, agents: 10, databaseBytes: 1, explanation: "" }, leftovers, skipped: [], runs, name: "dr-drill-20261122", startedAt: "2026-11-22T10:00:00.000Z", finishedAt: "2026-11-22T10:10:00.000Z", tools: {}, leftoverNames: [] });

it("keeps each run of a drill in the catalog, where the exporter finds what it measured and whether it passed", async () => {
  const folder = await temporaryFolder("keep-report");
  try {
    const context = await testContext({ folder: join(folder.path, "run") });
    const kept = await keepReport(context, report([run("region-loss", true), run("provider-loss", false)]));
    expect(kept.map((record) => drillIn(record)?.passed)).toEqual([true, false]);
    await keepReport(context, report([run("primary-loss", true)], 1));
    const { records, problems } = await context.catalog.list();
    expect(problems).toEqual([]);
    const facts = catalogFacts(blackroad, records, []);
    expect(facts.measured).toEqual([{ store: "redis", scope: "region", rpo: 12, rto: undefined }]);
    expect([...facts.drillPassed]).toEqual([["region-loss", Date.parse("2026-11-22T10:10:00.000Z")], ["provider-loss", 0], ["primary-loss", 0]]);
    context.close();
  } finally {
    await folder.remove();
  }
});

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportSchema, type DrillReport, type DrillRun } from "../../drill/report/model.ts";
import { complaintsOfReport, verdictOf } from "../../drill/report/verdict.ts";
import { run } from "../../runner/system/process.ts";

/** Each scenario as an operator plays it: `dr drill run`, a process of its own, judged by its report alone. */
const cli = resolve(import.meta.dirname, "../../cli/dr.ts");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drill-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function play(scenario: string, agents: number): Promise<DrillReport> {
  const out = join(folder, scenario);
  const { code, stderr } = await run(process.execPath, [cli, "drill", "run", "--scenario", scenario, "--agents", String(agents), "--out", out], { deadline: 380, accept: [0, 1, 3, 4, 5] });
  const report = reportSchema.parse(JSON.parse(await readFile(join(out, "report.json"), "utf8")));
  const complaints = complaintsOfReport(report);
  expect({ code, complaints, stderr: code === 0 ? "" : stderr.slice(-20_000) }, complaints.join("; ")).toEqual({ code: 0, complaints: [], stderr: "" });
  expect(report.passed).toBe(true);
  expect(report.leftovers).toBe(0);
  return report;
}

function runOf(report: DrillReport, tier: string): DrillRun {
  const found = report.runs.find((one) => one.tier === tier);
  if (found === undefined) throw new Error(`the report has no run of the tier ${tier}`);
  return found;
}

/** Predicted is at least what was measured, and at most twice that plus 10 s; both are within the promise. */
function expectHonest(one: DrillRun, stores: readonly string[]): void {
  expect(one.objectives.map(({ store }) => store).sort()).toEqual([...stores].sort());
  for (const { store, rpo, rto } of one.objectives) {
    for (const [name, figure] of [["rpo", rpo], ["rto", rto]] as const) {
      expect({ store, name, measured: figure.measured !== null, verdict: verdictOf(figure) }).toMatchObject({ store, name, measured: true, verdict: { ok: true } });
    }
  }
}

const storeOf = (one: DrillRun, store: string) => one.stores.find((result) => result.store === store);

describe("a drill", () => {
  it("loses a region with 30,000 agents, is served by the other one, then recovers from the object stores alone", async () => {
    const report = await play("region-loss", 30_000);
    const hot = runOf(report, "hot");
    const warm = runOf(report, "warm");
    for (const one of [hot, warm]) {
      expectHonest(one, ["postgres", "redis"]);
      expect(one.agents).toEqual({ expected: 30_000, recovered: 30_000 });
    }
    expect(hot.replicationLag?.outsideFaultProvenSeconds).toBeLessThan(1);
    const replicaLag = hot.replicationLag?.maxSeconds ?? 0;
    expect(storeOf(hot, "postgres")?.rpoSeconds).toBeLessThanOrEqual(Math.max(replicaLag, 1));
  });

  it("undoes the deletion of half a table by recovery to just before it", async () => {
    const report = await play("operator-error", 2_000);
    const warm = runOf(report, "warm");
    expectHonest(warm, ["postgres"]);
    expect(warm.agents).toEqual({ expected: 2_000, recovered: 2_000 });
  });

  it("sees flipped bytes in the newest backup by verification, and recovers from the other copy", async () => {
    const report = await play("corrupt-backup", 2_000);
    const warm = runOf(report, "warm");
    expectHonest(warm, ["postgres", "redis"]);
    expect(warm.evidence.filter(({ what }) => what.includes("verification")).every(({ ok }) => ok)).toBe(true);
    expect(storeOf(warm, "postgres")?.recoveredFrom).toMatch(/s3/);
  });

  it("loses a region and Cloudflare with it, and recovers from the other provider's store", async () => {
    const report = await play("provider-loss", 2_000);
    expectHonest(runOf(report, "warm"), ["postgres", "redis"]);
    expect(storeOf(runOf(report, "warm"), "postgres")?.recoveredFrom).toMatch(/s3/);
    expect(storeOf(runOf(report, "warm"), "redis")?.recoveredFrom).toMatch(/s3/);
  });

  it("loses the database leader and no acknowledged row, and takes writes again within 60 s", async () => {
    const report = await play("primary-loss", 2_000);
    const hot = runOf(report, "hot");
    expectHonest(hot, ["postgres"]);
    expect(storeOf(hot, "postgres")).toMatchObject({ rpoSeconds: 0, acknowledgedLost: 0 });
    expect(hot.evidence.find(({ what }) => what.includes("writes accepted again"))?.ok).toBe(true);
    expect(storeOf(hot, "postgres")?.rtoSeconds).toBeLessThan(60);
  });
});

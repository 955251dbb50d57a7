import type { BackupRecord } from "../runner/catalog/record.ts";
import type { RunContext } from "../runner/context.ts";
import { recordDrill } from "../runner/drill-record.ts";
import type { DrillReport } from "./report/model.ts";

/** Keeps what a drill measured in the catalog, a record for each run: from there the exporter has it, wherever it runs. */
export async function keepReport(context: RunContext, report: DrillReport): Promise<readonly BackupRecord[]> {
  const records: BackupRecord[] = [];
  for (const run of report.runs) {
    const { scenario, tier, objectives, rtoSeconds, startedAt, error } = run;
    const figures = objectives.map(({ store, scope, rpo, rto }) => ({ store, scope, rpo: figureOf(rpo), rto: figureOf(rto) }));
    // What a teardown left behind fails the drill as a whole, however well the recovery went.
    const passed = run.passed && report.leftovers === 0;
    const drill = { name: report.name, scenario, tier, passed, intervals: report.scale.intervals, agents: run.agents.expected, rtoSeconds, objectives: figures, error };
    records.push(await recordDrill(context, drill, { startedAt: new Date(startedAt), finishedAt: new Date(report.finishedAt) }));
  }
  return records;
}

const figureOf = ({ objective, predicted, measured }: { readonly objective: number; readonly predicted: number; readonly measured: number | null }) => ({ objective, predicted, measured });

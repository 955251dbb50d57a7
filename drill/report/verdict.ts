import { formatDuration } from "../../plan/units.ts";
import { countText } from "./counts.ts";
import type { DrillReport, DrillRun, Figure } from "./model.ts";

/** A prediction is honest from the measurement up to twice it plus this many seconds (design.md, drill/). */
export const predictionFactor = 2;
export const predictionSlackSeconds = 10;

export type PromiseVerdict = "kept" | "accepted" | "broken" | "not measured";
export type PredictionVerdict = "honest" | "too low" | "too high" | "not measured";

export interface FigureVerdict {
  /** Measured against the objective; `accepted` where only what the plan accepts instead was kept. */
  readonly promise: PromiseVerdict;
  /** Predicted against measured. */
  readonly prediction: PredictionVerdict;
  /** Nothing speaks against it. What was not measured does not either, and is said apart. */
  readonly ok: boolean;
}

function promiseOf({ objective, measured, accepted }: Figure): PromiseVerdict {
  if (measured === null) return "not measured";
  if (measured <= objective) return "kept";
  return accepted !== undefined && measured <= accepted.upTo ? "accepted" : "broken";
}

function predictionOf({ predicted, measured }: Figure): PredictionVerdict {
  if (measured === null) return "not measured";
  if (measured > predicted) return "too low";
  return predicted <= predictionFactor * measured + predictionSlackSeconds ? "honest" : "too high";
}

export function verdictOf(figure: Figure): FigureVerdict {
  const promise = promiseOf(figure);
  const prediction = predictionOf(figure);
  return { promise, prediction, ok: promise !== "broken" && prediction !== "too low" && prediction !== "too high" };
}

/** One figure in words, where it is not as it should be. */
function complaint(run: DrillRun, store: string, name: "RPO" | "RTO", figure: Figure): string[] {
  const { promise, prediction } = verdictOf(figure);
  if (figure.measured === null) return [];
  const who = `${run.scenario} (${run.tier}), ${store}: ${name}`;
  const measured = formatDuration(figure.measured);
  return [
    ...(promise === "broken" ? [`${who} measured ${measured}, promised ${formatDuration(figure.accepted?.upTo ?? figure.objective)}`] : []),
    ...(prediction === "too low" ? [`${who} measured ${measured}, predicted only ${formatDuration(figure.predicted)}`] : []),
    ...(prediction === "too high" ? [`${who} predicted ${formatDuration(figure.predicted)}, more than twice the measured ${measured} plus ${predictionSlackSeconds} s`] : []),
  ];
}

/** Everything that speaks against a run, in words; empty where nothing does. Whoever runs a drill sets `passed` by it. */
export function complaintsOf(run: DrillRun): string[] {
  const name = `${run.scenario} (${run.tier})`;
  const { expected, recovered } = run.agents;
  return [
    ...(run.error === null ? [] : [`${name}: ${run.error}`]),
    ...run.objectives.flatMap((row) => [...complaint(run, row.store, "RPO", row.rpo), ...complaint(run, row.store, "RTO", row.rto)]),
    ...(recovered < expected ? [`${name}: ${countText(expected - recovered)} of ${countText(expected)} agents were not recovered`] : []),
    ...run.evidence.filter((item) => !item.ok).map((item) => `${name}: ${item.what}: ${item.value}`),
    ...run.integrity.map((finding) => `${name}: ${finding.what} (${finding.where})`),
  ];
}

/** Everything that speaks against the drill. */
export function complaintsOfReport(report: DrillReport): string[] {
  const left = report.leftovers === 0 ? [] : [`${report.leftovers} left over after the teardown${report.leftoverNames.length > 0 ? `: ${report.leftoverNames.join(", ")}` : ""}; run \`dr drill sweep\``];
  return [...(report.runs.length === 0 ? ["no scenario was run"] : []), ...report.runs.flatMap(complaintsOf), ...left];
}

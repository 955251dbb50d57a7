import { formatSize } from "../../plan/units.ts";
import { countText, plural } from "./counts.ts";
import type { DrillReport, DrillRun, Figure } from "./model.ts";
import { oneLine, textTable, wrapText, type Cell, type Column } from "./text-table.ts";
import { complaintsOfReport } from "./verdict.ts";
import { recoveryText, spanOrUnknown, spanText, timeText, toneOf, verdictText, type Tone } from "./words.ts";

/** The report as a terminal shows it: at most `width` columns, painted only when asked. */
export interface TerminalOptions {
  readonly colour?: boolean;
  readonly width?: number;
}

type Paint = (tone: Tone, text: string) => string;
const codes: Readonly<Record<Tone, string>> = { good: "32", note: "33", bad: "31;1", quiet: "2" };
const painter = (colour: boolean): Paint => (tone, text) => (colour ? `\u001b[${codes[tone]}m${text}\u001b[0m` : text);

const objectiveColumns: readonly Column[] = [
  { title: "store" },
  { title: "scope" },
  { title: "" },
  { title: "promised", align: "right" },
  { title: "predicted", align: "right" },
  { title: "measured", align: "right" },
  { title: "verdict" },
];

function figureRow(paint: Paint, store: string, scope: string, name: string, figure: Figure): Cell[] {
  const verdict = { text: verdictText(figure), paint: (text: string) => paint(toneOf(figure), text) };
  return [store, scope, name, spanText(figure.objective), spanText(figure.predicted), spanOrUnknown(figure.measured), verdict];
}

function objectivesOf(run: DrillRun, paint: Paint, width: number): string[] {
  const rows = run.objectives.flatMap((row) => [figureRow(paint, row.store, row.scope, "RPO", row.rpo), figureRow(paint, "", "", "RTO", row.rto)]);
  return textTable(objectiveColumns, rows, width);
}

/** Where the plan accepts less than it promises, the terminal says what and why: each once. */
function acceptancesOf(run: DrillRun): string[] {
  const reasons = run.objectives.flatMap((row) =>
    ([["RPO", row.rpo], ["RTO", row.rto]] as const).flatMap(([name, { accepted }]) => (accepted === undefined ? [] : [`accepted: ${row.store} ${name} up to ${spanText(accepted.upTo)}: ${accepted.reason}`])),
  );
  return [...new Set(reasons)];
}

function factsOf(run: DrillRun): string[] {
  const { expected, recovered } = run.agents;
  const lag = run.replicationLag;
  const outside = lag?.outsideFaultMaxSeconds ?? null;
  return [
    `RTO of the system ${recoveryText(run)}, in it detecting ${spanOrUnknown(run.detectSeconds)}, deciding ${spanOrUnknown(run.decideSeconds)}`,
    ...run.stores.map((store) => `${store.store}: ${plural(store.acknowledgedLost, "acknowledged heartbeat")} lost, recovered to ${store.recoveredTo}${store.recoveredFrom === undefined ? "" : `, from ${store.recoveredFrom}`}`),
    `agents: ${countText(recovered)} of ${countText(expected)} recovered and validated`,
    ...(lag === null ? [] : [`replication lag: at most ${spanOrUnknown(outside)} outside the fault, p99 ${spanText(lag.p99Seconds)}, ${plural(lag.samples, "sample")}`]),
    ...run.faults.map((fault) => `fault: ${fault}`),
    ...acceptancesOf(run),
    `predictions: ${run.predictions.source}`,
  ];
}

const bullets = (lines: readonly string[], width: number): string[] =>
  lines.flatMap((line) => wrapText(line, width - 4).map((part, index) => `${index === 0 ? "  · " : "    "}${part}`));

function runText(run: DrillRun, paint: Paint, width: number): string[] {
  const heading = wrapText(`${run.scenario}, ${run.tier} tier`, width - 10).join(" ");
  return ["", `${heading}: ${paint(run.passed ? "good" : "bad", run.passed ? "passed" : "FAILED")}`, ...objectivesOf(run, paint, width), ...bullets(factsOf(run), width)];
}

/** The whole report as text, ending without a line break. */
export function renderReport(report: DrillReport, { colour = false, width = 100 }: TerminalOptions = {}): string {
  const paint = painter(colour);
  const complaints = report.passed ? [] : complaintsOfReport(report);
  const { intervals, agents, databaseBytes, explanation } = report.scale;
  const lines = [
    `${oneLine(report.name)}: ${paint(report.passed ? "good" : "bad", report.passed ? "PASSED" : "FAILED")}`,
    ...wrapText(`${report.environment}, ${timeText(report.startedAt)}; ${countText(agents)} agents, ${formatSize(databaseBytes)} database, intervals ÷ ${intervals}; ${report.leftovers} left over`, width),
    ...complaints.flatMap((line) => wrapText(line, width - 4).map((part, index) => paint("bad", `${index === 0 ? "  ✗ " : "    "}${part}`))),
    ...report.runs.flatMap((run) => runText(run, paint, width)),
    "",
    ...wrapText(`scale: ${explanation}`, width),
    ...(report.skipped.length === 0 ? ["skipped: nothing"] : ["skipped:", ...bullets(report.skipped.map(({ what, why }) => `${what}: ${why}`), width)]),
  ];
  return lines.join("\n");
}

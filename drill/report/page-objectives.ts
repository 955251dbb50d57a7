import { html, percent, type Html } from "./html.ts";
import type { DrillRun, Figure, ObjectiveRow } from "./model.ts";
import { pageTable } from "./page-table.ts";
import { spanOrUnknown, spanText, toneOf, verdictText } from "./words.ts";

const names = { rpo: "data lost", rto: "time to recover" } as const;
type FigureName = keyof typeof names;
const figureNames: readonly FigureName[] = ["rpo", "rto"];

/** How much of the promise was used: what tells a narrow escape from a comfortable one. */
function shareOfPromise({ objective, measured, accepted }: Figure): string {
  if (measured === null) return "";
  const limit = measured > objective && accepted !== undefined ? accepted.upTo : objective;
  const what = limit === objective ? "the promise" : "what is accepted";
  if (limit === 0) return measured === 0 ? "nothing promised, nothing lost" : `over ${what} of none`;
  const share = (measured / limit) * 100;
  return `${share < 1 ? "under 1" : Math.round(share)} % of ${what}`;
}

/** The measurement as a bar that ends at the prediction when that was exact; the prediction is a tick. */
function figureBar(figure: Figure): Html {
  const { predicted, measured } = figure;
  if (measured === null) return html`<span class="sub">no measurement</span>`;
  const whole = Math.max(predicted, measured);
  const label = `measured ${spanText(measured)}, predicted ${spanText(predicted)}`;
  return html`<span class="bar" role="img" aria-label="${label}"><i class="fill ${toneOf(figure)}" style="width:${percent(measured / whole)}"></i><i class="tick" style="left:${percent(predicted / whole)}"></i></span><span class="sub">${shareOfPromise(figure)}</span>`;
}

function objectiveRow(row: ObjectiveRow, name: FigureName): (string | Html)[] {
  const figure = row[name];
  return [
    html`${row.store} ${name.toUpperCase()} <span class="sub">${names[name]}, ${row.scope} scope</span>`,
    spanText(figure.objective),
    spanText(figure.predicted),
    html`<b>${spanOrUnknown(figure.measured)}</b>`,
    figureBar(figure),
    html`<span class="verdict ${toneOf(figure)}">${verdictText(figure)}</span>`,
  ];
}

/** What the predictions are made of, and what is accepted instead of a promise. */
function notesOf(run: DrillRun): Html {
  const notes = run.objectives.flatMap((row) =>
    figureNames.flatMap((name) => {
      const { basis, accepted } = row[name];
      const who = `${row.store} ${name.toUpperCase()}`;
      return [
        ...(basis === undefined ? [] : [html`<li>${who} predicted from ${basis}</li>`]),
        ...(accepted === undefined ? [] : [html`<li>${who} accepted up to ${spanText(accepted.upTo)}: ${accepted.reason}</li>`]),
      ];
    }),
  );
  return html`<ul class="notes"><li>The bar is what was measured, its mark what was predicted.</li>${notes}<li>Rates: ${run.predictions.source}</li></ul>`;
}

export function objectivesSection(run: DrillRun): Html {
  if (run.objectives.length === 0) return html`<p>No objective was measured in this run.</p>`;
  const columns = [
    { title: "Objective" },
    { title: "Promised", kind: "figure" },
    { title: "Predicted", kind: "figure" },
    { title: "Measured", kind: "figure" },
    { title: "Measured within predicted", kind: "bar" },
    { title: "Verdict" },
  ] as const;
  const rows = run.objectives.flatMap((row) => figureNames.map((name) => objectiveRow(row, name)));
  return html`${pageTable("Objectives: promised, predicted, measured", columns, rows, "objectives")}${notesOf(run)}`;
}

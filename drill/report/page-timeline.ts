import { html, nothing, percent, type Html } from "./html.ts";
import { phases, type DrillRun, type Step } from "./model.ts";
import { pageTable } from "./page-table.ts";
import { spanText } from "./words.ts";

/** Distances of the axis's marks in seconds: those that people read without counting. */
const distances = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];
const mostMarks = 6;

export interface Axis {
  /** Seconds from the run's start to the last step's end. */
  readonly length: number;
  /** Seconds since the run's start that count as zero: the disaster, or the start. */
  readonly zero: number;
  readonly marks: readonly { readonly at: number; readonly label: string }[];
}

/** `+5.1 s` after the disaster, `−11 s` before it. */
export function offsetText(seconds: number): string {
  if (Math.abs(seconds) < 0.0005) return "0 s";
  return `${seconds < 0 ? "−" : "+"}${spanText(Math.abs(seconds))}`;
}

/** Round distances from the disaster, at most six; those at the very edges are left out, where they have no room. */
export function axisOf(run: Pick<DrillRun, "steps" | "disasterAt">): Axis {
  const length = Math.max(0, run.disasterAt ?? 0, ...run.steps.map((step) => step.at + step.seconds));
  const zero = run.disasterAt ?? 0;
  const distance = distances.find((candidate) => length / candidate <= mostMarks) ?? Math.max(1, length / mostMarks);
  const first = Math.ceil(-zero / distance);
  const count = length === 0 ? 0 : Math.floor((length - zero) / distance) - first + 1;
  const marks = Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * distance)
    .map((offset) => ({ at: zero + offset, label: offsetText(offset) }))
    .filter(({ at }) => at / length > 0.04 && at / length < 0.96);
  return { length, zero, marks };
}

function disasterLine(run: DrillRun, axis: Axis): Html {
  return run.disasterAt === null ? nothing : html`<i class="disaster-line" style="left:${percent(run.disasterAt / axis.length)}"></i>`;
}

function stepBar(run: DrillRun, step: Step, axis: Axis): Html {
  const label = `${step.phase}, from ${offsetText(step.at - axis.zero)}, took ${spanText(step.seconds)}`;
  return html`<span class="track" role="img" aria-label="${label}">${disasterLine(run, axis)}<i class="span ${step.phase}${step.error === undefined ? "" : " failed"}" style="left:${percent(step.at / axis.length)};width:${percent(step.seconds / axis.length)}"></i></span>`;
}

function stepRow(run: DrillRun, step: Step, axis: Axis): (string | Html)[] {
  return [
    html`${step.name}${step.detail === undefined ? nothing : html` <span class="sub">${step.detail}</span>`}${step.error === undefined ? nothing : html` <span class="sub bad">failed: ${step.error}</span>`}`,
    html`<span class="phase ${step.phase}">${step.phase}</span>`,
    offsetText(step.at - axis.zero),
    stepBar(run, step, axis),
    html`<b>${spanText(step.seconds)}</b>`,
  ];
}

/** The axis stands as the first row, so that its marks share the bars' column. */
function axisRow(run: DrillRun, axis: Axis): (string | Html)[] {
  const marks = axis.marks.map(({ at, label }) => html`<i class="mark" style="left:${percent(at / axis.length)}">${label}</i>`);
  const title = run.disasterAt === null ? "Seconds since the start" : "The line marks the disaster, 0 s";
  return [html`<span class="sub">${title}</span>`, nothing, nothing, html`<span class="track axis" aria-hidden="true">${disasterLine(run, axis)}${marks}</span>`, nothing];
}

export function timelineSection(run: DrillRun): Html {
  if (run.steps.length === 0) return html`<p>No step was begun.</p>`;
  const axis = axisOf(run);
  const columns = [{ title: "Step" }, { title: "Phase" }, { title: "From", kind: "figure" }, { title: "When", kind: "bar" }, { title: "Took", kind: "figure" }] as const;
  const steps = [...run.steps].sort((a, b) => a.at - b.at || phases.indexOf(a.phase) - phases.indexOf(b.phase));
  return pageTable("Timeline of the steps", columns, [axisRow(run, axis), ...steps.map((step) => stepRow(run, step, axis))], "timeline");
}

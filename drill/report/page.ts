import { formatSize } from "../../plan/units.ts";
import { countText, plural } from "./counts.ts";
import { Html, html, nothing } from "./html.ts";
import type { DrillReport, DrillRun } from "./model.ts";
import { objectivesSection } from "./page-objectives.ts";
import { pageStyle } from "./page-style.ts";
import { pageTable } from "./page-table.ts";
import { offsetText, timelineSection } from "./page-timeline.ts";
import { complaintsOf, complaintsOfReport } from "./verdict.ts";
import { recoveryText, spanOrUnknown, spanText, timeText } from "./words.ts";

/** Nothing is fetched, nothing runs: the page says the same in ten years, and from a bucket that nobody trusts. */
const policy = new Html("default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'");

const outcome = (passed: boolean): Html => html`<span class="outcome ${passed ? "good" : "bad"}">${passed ? "✓ passed" : "✗ failed"}</span>`;
const titleOf = (run: DrillRun): string => `${run.scenario}, ${run.tier} tier`;

/** The greatest loss that a run measured in any store. */
function worstLoss(run: DrillRun): string {
  const [worst] = [...run.stores].sort((a, b) => b.rpoSeconds - a.rpoSeconds);
  return worst === undefined ? "not measured" : `${spanText(worst.rpoSeconds)} (${worst.store})`;
}

function headline(report: DrillReport): Html {
  const failed = report.runs.filter((run) => !run.passed).length;
  const title = report.passed ? "Everything came back as planned" : failed > 0 ? `${countText(failed)} of ${plural(report.runs.length, "run")} failed` : "The drill failed";
  const [slowest] = [...report.runs].sort((a, b) => b.rtoSeconds - a.rtoSeconds);
  const share = ({ agents }: DrillRun) => agents.recovered / agents.expected;
  const [fewest] = report.runs.filter((run) => run.agents.expected > 0).sort((a, b) => share(a) - share(b));
  const complaints = report.passed ? [] : complaintsOfReport(report);
  return html`<header>
<p class="eyebrow">${report.name} <span>${report.environment}</span> <time datetime="${report.startedAt}">${timeText(report.startedAt)}</time></p>
<h1>${outcome(report.passed)} ${title}</h1>
${complaints.length === 0 ? nothing : html`<ul class="complaints">${complaints.map((line) => html`<li>${line}</li>`)}</ul>`}
<dl class="figures">
<div><dt>Slowest recovery</dt><dd>${slowest === undefined ? "none" : recoveryText(slowest)}</dd></div>
<div><dt>Agents validated</dt><dd>${fewest === undefined ? "none" : html`${countText(fewest.agents.recovered)} <small>of ${countText(fewest.agents.expected)}</small>`}</dd></div>
<div><dt>Left over</dt><dd>${countText(report.leftovers)}</dd></div>
<div><dt>Skipped</dt><dd>${countText(report.skipped.length)}</dd></div>
</dl>
</header>`;
}

function overview(report: DrillReport): Html {
  const columns = [{ title: "Run" }, { title: "Time to recover", kind: "figure" }, { title: "Most data lost", kind: "figure" }, { title: "Agents", kind: "figure" }, { title: "Result" }] as const;
  const rows = report.runs.map((run, index) => [
    html`<a href="#run-${index + 1}">${titleOf(run)}</a>`,
    recoveryText(run),
    worstLoss(run),
    `${countText(run.agents.recovered)} of ${countText(run.agents.expected)}`,
    outcome(run.passed),
  ]);
  return rows.length === 0 ? html`<p>No scenario was run.</p>` : pageTable("Runs", columns, rows);
}

function storesSection(run: DrillRun): Html {
  const columns = [{ title: "Store" }, { title: "Lost", kind: "figure" }, { title: "Back after", kind: "figure" }, { title: "Heartbeats lost", kind: "figure" }, { title: "Recovered to", kind: "code" }, { title: "From", kind: "code" }] as const;
  const rows = run.stores.map((store) => [store.store, spanText(store.rpoSeconds), spanText(store.rtoSeconds), countText(store.acknowledgedLost), store.recoveredTo, store.recoveredFrom ?? "not said"]);
  return rows.length === 0 ? nothing : html`<h3>What came back</h3>${pageTable("Acknowledged heartbeats that were lost, and the copy each store came from", columns, rows, "stores")}`;
}

function recoveryFacts(run: DrillRun): Html {
  const lag = run.replicationLag;
  const facts: readonly (readonly [string, string | Html])[] = [
    ["System back after", recoveryText(run)],
    ["of which detecting", spanOrUnknown(run.detectSeconds)],
    ["of which deciding", spanOrUnknown(run.decideSeconds)],
    ...(lag === null ? [] : [["Replication lag outside the fault", html`at most ${spanOrUnknown(lag.outsideFaultMaxSeconds)} <small>p99 ${spanText(lag.p99Seconds)}, ${plural(lag.samples, "sample")}</small>`] as const]),
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function faultsSection(run: DrillRun): Html {
  const timed = run.faultLog.map(({ at, what }) => html`<li><span class="at">${offsetText(at - (run.disasterAt ?? 0))}</span> ${what}</li>`);
  const untimed = run.faults.filter((fault) => !run.faultLog.some(({ what }) => what === fault)).map((fault) => html`<li><span class="at">played</span> ${fault}</li>`);
  return html`<h3>Faults played</h3><ul class="faults">${timed.length + untimed.length === 0 ? html`<li>None.</li>` : [...timed, ...untimed]}</ul>`;
}

function evidenceSection(run: DrillRun): Html {
  const columns = [{ title: "What was checked" }, { title: "What was seen", kind: "code" }, { title: "Result" }] as const;
  const rows = run.evidence.map(({ what, value, ok }) => [what, value, html`<span class="verdict ${ok ? "good" : "bad"}">${ok ? "holds" : "does not hold"}</span>`]);
  const findings = run.integrity.map(({ what, where }) => html`<li>${what} <span class="sub">${where}</span></li>`);
  return html`<h3>Evidence</h3>${rows.length === 0 ? html`<p>Nothing was checked.</p>` : pageTable("Evidence", columns, rows, "evidence")}${findings.length === 0 ? nothing : html`<h3>Findings in the data</h3><ul class="complaints">${findings}</ul>`}`;
}

function runSection(run: DrillRun, index: number): Html {
  const complaints = run.passed ? [] : complaintsOf(run);
  return html`<section id="run-${index + 1}" aria-labelledby="run-${index + 1}-title">
<h2 id="run-${index + 1}-title">${titleOf(run)} ${outcome(run.passed)}</h2>
${complaints.length === 0 ? nothing : html`<ul class="complaints">${complaints.map((line) => html`<li>${line}</li>`)}</ul>`}
${recoveryFacts(run)}
<h3>Objectives</h3>${objectivesSection(run)}
<h3>Timeline</h3>${timelineSection(run)}
${storesSection(run)}
${faultsSection(run)}
${evidenceSection(run)}
</section>`;
}

function conditions(report: DrillReport): Html {
  const { intervals, agents, databaseBytes, explanation } = report.scale;
  const tools = Object.entries(report.tools).map(([name, version]) => html`<div><dt>${name}</dt><dd>${version}</dd></div>`);
  const skipped = report.skipped.map(({ what, why }) => [what, why]);
  const left = report.leftoverNames.map((name) => html`<li>${name}</li>`);
  return html`<section aria-labelledby="conditions"><h2 id="conditions">Under which conditions</h2>
<h3>Skipped</h3>${skipped.length === 0 ? html`<p>Nothing was skipped.</p>` : pageTable("Skipped, and why", [{ title: "What" }, { title: "Why" }], skipped)}
<h3>How it was scaled</h3><p>${explanation}</p><p class="sub">${countText(agents)} agents, ${formatSize(databaseBytes)} of database, intervals divided by ${intervals}.</p>
<h3>Left over after the teardown</h3>${report.leftovers === 0 ? html`<p>Nothing: no process, no directory, no mount.</p>` : html`<p class="bad">${countText(report.leftovers)} found. Remove with <code>dr drill sweep</code>.</p><ul>${left}</ul>`}
<h3>Tool versions</h3><dl class="tools">${tools}</dl></section>`;
}

/** The report as one self-contained page: no script, no request, everything in it escaped. */
export function renderPage(report: DrillReport): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${report.passed ? "Passed" : "Failed"}: ${report.name}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
${headline(report)}
${overview(report)}
${report.runs.map(runSection)}
${conditions(report)}
</main>
<footer><p>Durations are measured on the drill's own clock; times are UTC. The same figures, unrounded, stand in <code>report.json</code> beside this page. The drill ended ${timeText(report.finishedAt)}.</p></footer>
</body>
</html>
`;
  return page.text;
}

import { describe, expect, it } from "vitest";
import { escapeHtml, html } from "../../../drill/report/html.ts";
import type { DrillReport } from "../../../drill/report/model.ts";
import { renderPage } from "../../../drill/report/page.ts";
import { axisOf } from "../../../drill/report/page-timeline.ts";
import { badReport, goodReport, warmRun } from "./fixture.ts";

const attack = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\`\${7}</style></title>&lt;`;

/** The report with every text in it replaced, also the names of tools; times and choices stay what they must be. */
function poison(value: unknown): unknown {
  if (typeof value === "string") return /^\d{4}-\d\d-\d\dT[\d:.]+Z$|^(hot|warm|cold|provision|seed|protect|disaster|detect|recover|validate|destroy)$/.test(value) ? value : attack;
  if (Array.isArray(value)) return value.map(poison);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, poison(part)]));
  return value;
}

describe("escaping", () => {
  it("leaves no character that opens a tag, an attribute or an entity", () => {
    expect(escapeHtml(`<a href="x" title='y'>&\``)).toBe("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&#96;");
  });

  it("makes control characters and turned writing visible", () => {
    expect(escapeHtml("a\u0000b\u202ec\u001b")).toBe("a\ufffdb\ufffdc\ufffd");
  });

  it("escapes every value of a template but what is markup already", () => {
    expect(html`<p>${"<b>"}${html`<i>${"&"}</i>`}${["<", 1]}</p>`.text).toBe("<p>&lt;b&gt;<i>&amp;</i>&lt;1</p>");
  });
});

describe("the page", () => {
  it("lets hostile texts in no place become markup", () => {
    const markup = (page: string) => page.replaceAll(/[^<]*(<[/a-z!]+)[^<]*/g, "$1 ");
    const withTools: DrillReport = { ...badReport, tools: { "<script>x": "1" } };
    const page = renderPage({ ...(poison(withTools) as DrillReport), tools: withTools.tools });
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<img");
    expect(page).toContain("&quot;&gt;&lt;script&gt;alert(1)");
    expect(markup(page).split(" ").length).toBeGreaterThan(100);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(page.match(/<\/title>/g)).toHaveLength(1);
  });

  it("has a policy that forbids every request and every script, and no address to request", () => {
    const page = renderPage(goodReport);
    expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    expect(page).not.toMatch(/<script|<link rel="stylesheet|@import|url\(|src="|href="https?:/);
  });

  it("is the same for the same report", () => {
    expect(renderPage(goodReport)).toBe(renderPage(structuredClone(goodReport)));
  });

  it("tells a failed drill in its title, its headline and its reasons", () => {
    const page = renderPage(badReport);
    expect(page).toContain("<title>Failed: dr-drill-20261122</title>");
    expect(page).toContain("1 of 2 runs failed");
    expect(page).toContain("2 left over after the teardown: process 4711 redis-server");
  });

  it("renders a drill that never got to run anything", () => {
    const page = renderPage({ ...goodReport, passed: false, runs: [], tools: {}, skipped: [] });
    expect(page).toContain("No scenario was run.");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("renders a run without steps, stores, objectives, evidence and disaster", () => {
    const bare = { ...warmRun, passed: false, error: "provision failed", steps: [], stores: [], objectives: [], evidence: [], faults: [], faultLog: [], disasterAt: null, detectSeconds: null, rtoSeconds: 0, agents: { expected: 0, recovered: 0 } };
    const page = renderPage({ ...goodReport, passed: false, runs: [bare] });
    expect(page).toContain("not recovered");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("the timeline's axis", () => {
  const step = { name: "a step", phase: "recover" } as const;

  it("counts from the disaster and marks round distances, at most seven of them", () => {
    const axis = axisOf({ disasterAt: 44.2, steps: [{ ...step, at: 0, seconds: 55.1 }] });
    expect(axis.marks.map(({ label }) => label)).toEqual(["−40 s", "−30 s", "−20 s", "−10 s", "0 s"]);
    expect(axis.marks.length).toBeLessThanOrEqual(7);
  });

  it("has no marks and no division by zero where nothing took any time", () => {
    expect(axisOf({ disasterAt: null, steps: [{ ...step, at: 0, seconds: 0 }] })).toEqual({ length: 0, zero: 0, marks: [] });
  });

  it("holds for a drill of days", () => {
    expect(axisOf({ disasterAt: 0, steps: [{ ...step, at: 0, seconds: 2_000_000 }] }).marks.length).toBeLessThanOrEqual(7);
  });
});

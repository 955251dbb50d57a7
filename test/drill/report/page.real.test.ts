import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DrillReport } from "../../../drill/report/model.ts";
import { writeReport } from "../../../drill/report/write.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { groundOf, lowestContrasts, openBrowser, overflowOf, type Browser, type View } from "./browser.ts";
import { badReport, goodReport, hotRun } from "./fixture.ts";

const attack = `"><img src="https://attacker.invalid/x.png"><script>document.title="taken"</script>`;
/** Long unbroken names, many steps, a disaster at the very end, and texts that would be markup. */
const hardReport: DrillReport = {
  ...badReport,
  name: `dr-drill-${"x".repeat(120)}`,
  environment: attack,
  runs: [
    ...badReport.runs,
    {
      ...hotRun,
      scenario: attack,
      steps: Array.from({ length: 40 }, (_, index) => ({ name: `step-${index}-${"y".repeat(60)}`, at: index, seconds: 0.01, phase: "recover" as const, detail: attack })),
      disasterAt: 40,
      stores: hotRun.stores.map((store) => ({ ...store, recoveredFrom: `s3://${"z".repeat(300)}` })),
    },
  ],
};

const views: readonly (View & { name: string })[] = [
  { name: "a desktop", width: 1280, height: 900, scheme: "light" },
  { name: "a desktop at night", width: 1280, height: 900, scheme: "dark" },
  { name: "a phone", width: 360, height: 740, scheme: "light" },
  { name: "a phone at night", width: 360, height: 740, scheme: "dark" },
];
const reports: readonly (readonly [string, DrillReport])[] = [["a drill that passed", goodReport], ["a drill that failed", badReport], ["a hostile and overlong report", hardReport]];

const hasBrowser = (await lookUpProgram("chromium")) !== undefined;
let folder = "";
const urlOf = (name: string) => pathToFileURL(join(folder, name, "report.html")).href;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dr-page-"));
  for (const [name, report] of reports) await writeReport(join(folder, name), report);
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

for (const view of views) {
  describe(`the report on ${view.name}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      if (hasBrowser) browser = await openBrowser(view);
    });
    beforeEach(({ skip }) => skip(!hasBrowser, "Chromium is not on this machine: nobody looks at the page"));
    afterAll(async () => {
      if (hasBrowser) await browser.close();
    });

    for (const [name] of reports) {
      it(`asks for nothing, complains of nothing and does not scroll sideways: ${name}`, async () => {
        const { page, complaints, requests } = await browser.visit(urlOf(name));
        const { width, beyond } = await overflowOf(page);
        expect(width).toBeLessThanOrEqual(view.width);
        expect(beyond).toEqual([]);
        expect(await page.title()).toMatch(/^(Passed|Failed): dr-drill-/);
        expect(complaints).toEqual([]);
        expect(requests).toEqual([]);
      });
    }

    it("has a contrast of at least 4.5 for every text", async () => {
      for (const name of ["a drill that passed", "a drill that failed"]) {
        const { page } = await browser.visit(urlOf(name));
        const lowest = await lowestContrasts(page);
        expect(lowest).toHaveLength(5);
        expect(lowest.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
      }
    });

    it("shows the key figures and the headers of its tables", async () => {
      const { page } = await browser.visit(urlOf("a drill that passed"));
      const run = page.locator("#run-1");
      expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("Everything came back as planned");
      expect(await page.getByRole("table").count()).toBe(10);
      for (const title of ["Promised", "Predicted", "Measured", "Verdict"]) expect(await run.getByRole("columnheader", { name: title, exact: true }).count()).toBe(1);
      expect(await run.getByRole("rowheader", { name: "postgres RTO" }).isVisible()).toBe(true);
      const measured = run.locator(".objectives tbody tr").first().locator("td").nth(2);
      expect(await measured.innerText()).toContain("40 ms");
      expect(await measured.isVisible()).toBe(true);
      expect(await page.getByText("30,000 of 30,000").first().isVisible()).toBe(true);
    });

    it("marks the disaster in every row of the timeline and draws each step to scale", async () => {
      const { page } = await browser.visit(urlOf("a drill that passed"));
      expect(await page.locator("#run-1 .disaster-line").count()).toBe(hotRun.steps.length + 1);
      const widthOf = async (name: string) => (await page.getByRole("img", { name }).locator(".span").boundingBox())?.width ?? 0;
      const [provision, promote] = [await widthOf("provision, from −44 s, took 11 s"), await widthOf("recover, from +5.3 s, took 2.2 s")];
      expect(promote).toBeGreaterThan(5);
      expect(provision / promote).toBeCloseTo(11.4 / 2.2, 0);
    });

    it("is dark where the reader's machine is", async () => {
      const { page } = await browser.visit(urlOf("a drill that passed"));
      expect(await groundOf(page)).toBe(view.scheme === "dark" ? "rgb(21, 24, 27)" : "rgb(250, 250, 248)");
    });
  });
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { run } from "../../runner/system/process.ts";
import { temporaryFolder } from "./temporary.ts";

const vitest = join(import.meta.dirname, "..", "..", "node_modules", "vitest", "vitest.mjs");

/** What `scripts/test` would count of a file of tests, and what is printed. */
async function report(tests: string): Promise<{ passed: number; failed: number; skipped: { name: string; why: string }[]; printed: string }> {
  const folder = await temporaryFolder("reporter");
  onTestFinished(() => folder.remove());
  await writeFile(join(folder.path, "a.test.ts"), tests);
  const counts = join(folder.path, "counts.json");
  const args = [vitest, "run", "--root", folder.path, "--globals", "--reporter", join(import.meta.dirname, "reporter.ts")];
  const { stdout } = await run(process.execPath, args, { deadline: 60, env: { DR_TEST_COUNTS: counts }, accept: [0, 1] });
  const { passed, failed, skipped } = JSON.parse(await readFile(counts, "utf8")) as { passed: number; failed: number; skipped: { name: string; why: string }[] };
  return { passed, failed, skipped, printed: stdout };
}

it("counts a failed preparation as a failure, wherever it stands, and not only the tests behind it as skipped", async () => {
  const inside = await report(`it("works", () => {}); describe("a store", () => { beforeAll(() => { throw new Error("no server") }); it("is backed up", () => {}); });`);
  expect(inside).toMatchObject({ passed: 1, failed: 1, printed: expect.stringContaining("FAIL  a.test.ts > a store\nno server") as string });

  const outside = await report(`beforeAll(() => { throw new Error("no server") }); it("is backed up", () => {});`);
  expect(outside).toMatchObject({ passed: 0, failed: 1, printed: expect.stringContaining("FAIL  a.test.ts\nno server") as string });
});

it("prints what an expectation found beside what it wanted, and why a test was skipped", async () => {
  const { failed, skipped, printed } = await report(`it("counts", () => { expect({ keys: 1 }).toEqual({ keys: 2 }) }); it("needs a server", ({ skip }) => { skip("no server here") });`);

  expect(failed).toBe(1);
  expect(printed).toMatch(/- +"keys": 2,\s*\+ +"keys": 1,/);
  expect(skipped).toEqual([{ name: "a.test.ts > needs a server", why: "no server here" }]);
});

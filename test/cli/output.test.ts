import { join } from "node:path";
import { expect, it } from "vitest";
import { exitCodes } from "../../runner/errors.ts";
import { run } from "../../runner/system/process.ts";

const dr = join(import.meta.dirname, "..", "..", "cli", "dr.ts");

/** What a shell line with `$DR` for the command says: its outputs, and the code that `dr` itself ended with. */
async function shell(line: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const { stdout, stderr } = await run("bash", ["-c", line], { deadline: 20, env: { DR: `${process.execPath} ${dr}` } });
  return { code: Number(stdout.trim()), stderr };
}

it("ends as its work did where nobody reads its result any more", async () => {
  expect(await shell("exec 3>&1; { $DR --json plan; echo $? >&3; } | true")).toEqual({ code: 0, stderr: "" });
});

it("ends as its work did where nobody reads its errors any more", async () => {
  expect(await shell("exec 3>&1; { $DR --config /nonexistent status 2>&1 >/dev/null; echo $? >&3; } | true")).toEqual({ code: 2, stderr: "" });
});

it("fails, without a trace, where its result cannot be written", async () => {
  expect(await shell("$DR drill list >/dev/full; echo $?")).toEqual({ code: 1, stderr: expect.stringMatching(/^dr: the result could not be written: .*ENOSPC.*\n$/) as unknown });
});

it.each([
  [["nonsense"], "unknown command 'nonsense'"],
  [["plan", "--bogus"], "unknown option '--bogus'"],
  [["drill", "run", "--agents", "x"], "option '--agents <n>' argument 'x' is invalid. a whole number from 1 to 300000 is expected."],
  [["catalog", "show"], "missing required argument 'backup'"],
  [["backup"], "a command is missing"],
])("tells a program that asks for JSON what is wrong with %j", async (args, what) => {
  const { code, stdout } = await run(process.execPath, [dr, ...args, "--json"], { deadline: 20, accept: [exitCodes.usage] });
  expect({ code, data: JSON.parse(stdout) as unknown }).toMatchObject({ code: exitCodes.usage, data: { error: { kind: "usage", what } } });
});

import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandProblem } from "../harness/commands.ts";
import { wrongTests } from "./named-tests.ts";

const root = join(import.meta.dirname, "..", "..");
const series = (letter: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
/** Every row of the requirements. */
const ids = [...series("O", 8), ...series("S", 7), ...series("D", 8), ...series("B", 4), ...series("M", 3), ...series("R", 6), ...series("V", 2), ...series("N", 11), "C", "I"];

interface Row {
  readonly id: string;
  readonly by: string;
  readonly tests: string;
  readonly state: string;
  readonly cells: number;
}

const rows = readFileSync(join(root, "docs", "coverage.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| [A-Z]/.test(line))
  .map((line): Row => {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    const [id = "", , by = "", tests = "", state = ""] = cells;
    return { id, by, tests, state, cells: cells.length };
  });

/** What stands between backticks. */
const quotedIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
const isCommand = (text: string): boolean => text.startsWith("dr ");
const isComponent = (text: string): boolean => /^[A-Z]\w+$/.test(text);
const components = new Set(globSync("components/**/*.ts", { cwd: root }).flatMap((file) => [...readFileSync(join(root, file), "utf8").matchAll(/^export class (\w+) extends Component\b/gm)].map(([, name = ""]) => name)));

describe("the table of what is covered", () => {
  it("has every row of the requirements once, whole", () => {
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(rows.filter(({ cells, by, tests }) => cells !== 5 || by === "" || tests === "").map(({ id }) => id)).toEqual([]);
  });

  it("says of each row that it is shown, or what is missing", () => {
    expect(rows.filter(({ state }) => state !== "shown" && !/^(partly|missing): .{20,}/.test(state)).map(({ id, state }) => `${id}: ${state}`)).toEqual([]);
  });

  it("names commands of dr that there are, with their options", () => {
    const commands = rows.flatMap(({ id, by }) => quotedIn(by).filter(isCommand).map((text) => ({ id, text })));
    expect(commands.length).toBeGreaterThan(40);
    expect(commands.flatMap(({ id, text }) => commandProblem(text)?.concat(` (${id})`) ?? [])).toEqual([]);
    expect(commandProblem("dr recover everything")).toMatch(/names no command/);
    expect(commandProblem("dr recover full --at-once")).toMatch(/no option --at-once/);
  });

  it("names components that are exported, and files that there are", () => {
    const others = rows.flatMap(({ id, by }) => quotedIn(by).filter((text) => !isCommand(text)).map((text) => ({ id, text })));
    expect(others.filter(({ text }) => (isComponent(text) ? !components.has(text) : !existsSync(join(root, text))))).toEqual([]);
    // Nothing that the cell names is without backticks, where nobody would look whether it exists.
    expect(rows.filter(({ by }) => by.replaceAll(/`[^`]+`/g, "").trim() !== "").map(({ id }) => id)).toEqual([]);
  });

  it("names tests that there are, by a part of their own words", () => {
    const wrong = rows.flatMap(({ id, tests }) => wrongTests(tests).map((what) => `${id}: ${what}`));
    expect(wrong).toEqual([]);
  });
});

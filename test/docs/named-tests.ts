import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
/** The parts of a cell that name something: `` `path` "name" ``, or nothing else. */
const shownBy = /^`([^`]+)` "([^"]+)"$/;

/** Lines on which a test has its name: `it("…"`, `it.each(…)("…"`, or the end of a table of cases, `])("…"`. */
const titlesIn = (file: string): string[] => readFileSync(file, "utf8").split("\n").filter((line) => /^\s*(it|describe)\b|^\s*\]( as const)?\)\(["`]/.test(line));

/** What is wrong with the tests that a cell of a document names, each by a part of its own words; empty: nothing. */
export function wrongTests(cell: string): string[] {
  return cell.split("; ").flatMap((one) => {
    const [, path, name] = shownBy.exec(one) ?? [];
    if (path === undefined || name === undefined) return [`cannot be read: ${one}`];
    const file = join(root, "test", path);
    if (!/\.test\.ts$/.test(path) || !existsSync(file)) return [`there is no test ${path}`];
    return titlesIn(file).some((title) => title.includes(name)) ? [] : [`${path} has no "${name}"`];
  });
}

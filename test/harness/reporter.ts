import { writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/**
 * One line a test, so that a stuck one is seen; the skipped with their reasons; and the counts in the file
 * `DR_TEST_COUNTS`, from which `scripts/test` makes the last line.
 */
export default class LineReporter implements Reporter {
  private passed = 0;
  private failed = 0;
  private readonly skipped: { name: string; why: string }[] = [];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    const seconds = ((test.diagnostic()?.duration ?? 0) / 1_000).toFixed(1);
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    if (result.state === "passed") {
      this.passed += 1;
      if (test.project.name !== "unit") console.log(`  ok   ${seconds.padStart(6)} s  ${name}`);
    } else if (result.state === "skipped") {
      this.skipped.push({ name, why: result.note ?? reasonIn(test.fullName) });
    } else if (result.state === "failed") {
      this.failed += 1;
      console.log(`  FAIL ${seconds.padStart(6)} s  ${name}`);
      for (const error of result.errors) console.log(textOf(error).replace(/^/gm, "         "));
    }
  }

  /** A hook of a `describe` that fails skips its tests: without this they would only be missing. */
  onTestSuiteResult(suite: TestSuite): void {
    this.broken(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    this.broken(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly Told[]): void {
    this.broken("outside of a test", errors);
    const file = process.env["DR_TEST_COUNTS"];
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed: this.passed, failed: this.failed, skipped: this.skipped }));
  }

  private broken(name: string, errors: readonly Told[]): void {
    for (const error of errors) {
      this.failed += 1;
      console.log(`  FAIL  ${name}\n${textOf(error)}`);
    }
  }
}

interface Told {
  readonly message: string;
  readonly stack?: string;
  /** Of an expectation: what was there beside what was expected. */
  readonly diff?: string;
}

const textOf = ({ message, stack, diff }: Told): string => stripVTControlCharacters([message, ...(diff === undefined ? [] : [diff]), stack ?? ""].join("\n"));

/** What a test says in its name, or in one around it, that it cannot do without. */
const reasonIn = (name: string): string => /\((needs [^()]*)\)/.exec(name)?.[1] ?? "no reason given";

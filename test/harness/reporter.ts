import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

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
      this.skipped.push({ name, why: result.note ?? "no reason given" });
    } else if (result.state === "failed") {
      this.failed += 1;
      console.log(`  FAIL ${seconds.padStart(6)} s  ${name}`);
      for (const error of result.errors) console.log(`${error.message}\n${error.stack ?? ""}`.replace(/^/gm, "         "));
    }
  }

  onTestModuleEnd(module: TestModule): void {
    for (const error of module.errors()) {
      this.failed += 1;
      console.log(`  FAIL  ${module.relativeModuleId}\n${error.message}\n${error.stack ?? ""}`);
    }
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { message: string; stack?: string }[]): void {
    for (const error of errors) {
      this.failed += 1;
      console.log(`  FAIL  outside of a test: ${error.message}\n${error.stack ?? ""}`);
    }
    const file = process.env["DR_TEST_COUNTS"];
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed: this.passed, failed: this.failed, skipped: this.skipped }));
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { run } from "../../runner/system/process.ts";

const folder = resolve(import.meta.dirname, "../../.github/workflows");
const files = readdirSync(folder).map((name) => join(folder, name));

/** On PATH only: a test never installs it. */
async function actionlint(): Promise<string | undefined> {
  for (const path of (process.env["PATH"] ?? "").split(":").filter((part) => part !== "").map((part) => join(part, "actionlint"))) {
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path;
  }
  return undefined;
}

describe("the workflows", () => {
  it("are what GitHub takes, by a linter of workflows", async (context) => {
    const program = await actionlint();
    context.skip(program === undefined, "needs the actionlint command on PATH (go install github.com/rhysd/actionlint/cmd/actionlint@latest)");
    if (program !== undefined) await expect(run(program, ["-no-color", ...files], { deadline: 60 })).resolves.toMatchObject({ stdout: "" });
  });

  it.each(files)("%s needs no credential: it reads no secret but GitHub's own token", (file) => {
    const text = readFileSync(file, "utf8");
    expect(text).not.toMatch(/secrets\.|id-token|AWS_|CLOUDFLARE_|PULUMI_ACCESS_TOKEN/);
    expect(load(text)).toMatchObject({ permissions: {} });
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { run } from "../../runner/system/process.ts";

const workflow = z.object({ jobs: z.record(z.string(), z.object({ permissions: z.record(z.string(), z.string()), steps: z.array(z.object({ uses: z.string().optional(), run: z.string().optional() })) })) });
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

  it.each(files)("%s takes each action by the commit that was looked at: a tag can come to mean another one", (file) => {
    const used = [...readFileSync(file, "utf8").matchAll(/uses:\s*(\S+)(.*)/g)].map(([, action = "", comment = ""]) => `${action}${comment}`);
    expect(used).not.toEqual([]);
    expect(used.filter((one) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+/.test(one))).toEqual([]);
  });

  it.each(files)("%s gives no job more than its work asks for", (file) => {
    const jobs = Object.entries(workflow.parse(load(readFileSync(file, "utf8"))).jobs);
    for (const [name, { permissions, steps }] of jobs) {
      const writes = Object.entries(permissions).filter(([, access]) => access !== "read");
      // Whatever may write runs nothing of the pull request.
      if (writes.length > 0) expect(steps.filter(({ uses, run }) => uses?.startsWith("actions/checkout@") === true || /npm|node|npx/.test(run ?? "")), name).toEqual([]);
    }
    expect(jobs.flatMap(([, { permissions }]) => Object.entries(permissions).filter(([, access]) => access !== "read"))).toEqual([["pull-requests", "write"]]);
  });
});

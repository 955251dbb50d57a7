import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** What a folder may import from, besides itself. The bench and the tests may import anything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  plan: [],
  components: ["plan"],
  stacks: ["plan", "components"],
  policies: ["plan"],
  runner: ["plan"],
  drill: ["plan", "runner"],
  cli: ["plan", "policies", "runner", "drill"],
};

function sources(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

function importsOf(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

const files = Object.keys(allowed).flatMap((folder) => sources(join(root, folder)));

describe("the house", () => {
  it("lets imports go one way: plan, components, stacks; plan, policies, cli; plan, runner, drill, cli", () => {
    const wrong = files.flatMap((path) => {
      const from = relative(root, path).split("/")[0] ?? "";
      return importsOf(path)
        .filter((name) => name.startsWith("."))
        .map((name) => relative(root, resolve(dirname(path), name)).split("/")[0] ?? "")
        .filter((to) => to !== from && !(allowed[from] ?? []).includes(to))
        .map((to) => `${relative(root, path)} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it("lets nothing but the pack itself load the SDK of the policies, which starts a server", () => {
    const wrong = files.filter((path) => /^import (?!type ).*"@pulumi\/policy"/m.test(readFileSync(path, "utf8")) || importsOf(path).some((name) => name.startsWith(".") && resolve(dirname(path), name) === join(root, "policies/index.ts"))).map((path) => relative(root, path));
    expect(wrong).toEqual(["policies/index.ts"]);
  });

  it("keeps the rules pure: the plan, what rules are made of, parsers, and nothing else", () => {
    const wrong = files
      .filter((path) => /^policies\/(rules|core)\//.test(relative(root, path)))
      .flatMap((path) => [...readFileSync(path, "utf8").matchAll(/^import (?!type )[^;]*?from "([^"]+)"/gm)].map((match) => match[1] ?? "").filter((name) => !name.startsWith(".") && name !== "zod" && name !== "js-yaml").map((name) => `${relative(root, path)} imports ${name}`));
    expect(wrong).toEqual([]);
  });

  it("keeps the plan free of input and output", () => {
    const wrong = files
      .filter((path) => relative(root, path).startsWith("plan/"))
      .flatMap((path) => importsOf(path).filter((name) => name.startsWith("node:") && name !== "node:assert").map((name) => `${relative(root, path)} imports ${name}`));
    expect(wrong).toEqual([]);
  });

  // Components may not import the runner's: theirs asks a kubeconfig's command for a token, and nothing else.
  it("starts child processes in one module only", () => {
    const wrong = files.filter((path) => importsOf(path).includes("node:child_process")).map((path) => relative(root, path));
    expect(wrong.sort()).toEqual(["components/foundation/exec-credential.ts", "runner/system/process.ts", "runner/system/user.ts"]);
  });
});

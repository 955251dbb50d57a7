import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { allRules } from "../../../policies/rules/all.ts";
import { settingsId } from "../../../policies/core/settings.ts";

const folder = resolve(import.meta.dirname, "../../../policies/rules");
const ids = allRules.map(({ id }) => id);

describe("all rules", () => {
  it("have ids of their own, in words that the engine takes as a policy's name", () => {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id === "all" || id === settingsId)).toEqual([]);
  });

  it("are all there: none that stands in a file is left out of its area's index", () => {
    const written = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(/^ {2}id: "([^"]+)"/gm)].map((match) => match[1] ?? ""));
    expect(written.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it.each(allRules.map((rule) => [rule.id, rule] as const))("%s says in sentences what it protects from and what to do, and how it is broken", (_, rule) => {
    for (const text of [rule.protects, rule.fix]) expect(text).toMatch(/^\S.* .*\.$/s);
    expect(Object.keys(rule.breaks).filter((pattern) => (rule.selects ?? []).includes(pattern)), "either breaks the rule or selects").toEqual([]);
  });
});

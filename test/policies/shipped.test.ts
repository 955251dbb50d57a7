import { beforeAll, describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { stackRoles } from "../../plan/names.ts";
import { judgeResource, judgeStack } from "../../policies/core/judge.ts";
import type { ResourceFacts } from "../../policies/core/resource.ts";
import type { Finding } from "../../policies/core/rule.ts";
import { allRules } from "../../policies/rules/all.ts";
import { shippedStacks } from "../harness/policies.ts";

/** Advice that the shipped stacks do get: the requirements name a Glacier vault, which not every account can make. */
const advised: ReadonlySet<string> = new Set(["glacier-closed"]);

/** What the five stacks register, as their examples configure them, under every rule. */
describe("the shipped stacks", () => {
  const settings = { plan: blackroad, production: true };
  let resources: readonly ResourceFacts[] = [];
  beforeAll(async () => void (resources = await shippedStacks()), 180_000);

  const about = (rule: string, findings: readonly Finding[]) => (advised.has(rule) ? [] : findings.map(({ kind, message }) => `${rule} (${kind}): ${message}`));

  it("get no advice but from rules that are advice", () => {
    expect(allRules.filter(({ id, enforcement }) => advised.has(id) && enforcement !== "advisory")).toEqual([]);
  });

  it.each(allRules.filter((rule) => rule.kind === "resource").map((rule) => [rule.id, rule] as const))("keep %s", (id, rule) => {
    expect(about(id, resources.flatMap((facts) => judgeResource(rule, facts, settings)))).toEqual([]);
  });

  const stackRules = allRules.filter((rule) => rule.kind === "stack");

  it.each(stackRules.filter(({ scope }) => scope === "stack").map((rule) => [rule.id, rule] as const))("keep %s, each by itself", (id, rule) => {
    expect(stackRoles.flatMap((role) => about(id, judgeStack(rule, resources.filter(({ stack }) => stack === role), settings)))).toEqual([]);
  });

  // The drill's stack is up for an hour, and nobody exports it with the others.
  it.each(stackRules.map((rule) => [rule.id, rule] as const))("keep %s, the four that stay taken together", (id, rule) => {
    expect(about(id, judgeStack(rule, resources.filter(({ stack }) => stack !== "drill"), settings))).toEqual([]);
  });
});

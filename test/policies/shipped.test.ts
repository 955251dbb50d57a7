import { beforeAll, describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { stackRoles } from "../../plan/names.ts";
import { judgeAll, judgeResource, judgeStack } from "../../policies/core/judge.ts";
import type { ResourceFacts } from "../../policies/core/resource.ts";
import { allRules } from "../../policies/rules/all.ts";
import { shippedStacks } from "../harness/policies.ts";

/** What the five stacks register, as their examples configure them, under every rule. */
describe("the shipped stacks", () => {
  const settings = { plan: blackroad, production: true };
  let resources: readonly ResourceFacts[] = [];
  beforeAll(async () => void (resources = await shippedStacks()), 60_000);

  const about = (rule: string, findings: ReturnType<typeof judgeAll>) => findings.map(({ kind, message }) => `${rule} (${kind}): ${message}`);

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

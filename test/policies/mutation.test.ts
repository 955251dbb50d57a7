import { beforeAll, describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { stackRoles } from "../../plan/names.ts";
import { judgeResource, judgeStack } from "../../policies/core/judge.ts";
import type { ReadLog, ResourceFacts } from "../../policies/core/resource.ts";
import type { Finding, ResourceRule, Rule, StackRule } from "../../policies/core/rule.ts";
import { pathPattern, pathText, type Path } from "../../policies/core/value.ts";
import { allRules } from "../../policies/rules/all.ts";
import { breakResource } from "../harness/break-resource.ts";
import { shippedStacks } from "../harness/policies.ts";

/** A property, as a pattern, that a rule reads of one resource, with the paths that it stands for there. */
interface Read {
  readonly resource: ResourceFacts;
  readonly pattern: string;
  readonly paths: Map<string, Path>;
}

const settings = { plan: blackroad, production: true };
const isCaught = (findings: readonly Finding[]): boolean => findings.some(({ kind }) => kind === "violation");

/** What a rule reads, resource by resource; no table of it is written by hand, so that none is forgotten. */
function readsOf(judge: (log: ReadLog) => void): readonly Read[] {
  const reads = new Map<string, Read>();
  judge((resource, path) => {
    const pattern = pathPattern(path);
    const key = `${resource.urn} ${pattern}`;
    const read = reads.get(key) ?? { resource, pattern, paths: new Map<string, Path>() };
    read.paths.set(pathText(path), path);
    reads.set(key, read);
  });
  return [...reads.values()];
}

/**
 * Every property that any rule reads of the shipped stacks, broken by the value that the rule names. A rule about one
 * resource is asked about each of them; one about the whole stack about one of each type and stack, as it looks at all.
 * Where a pattern stands for several members of a list, all are broken at once: some rules ask for one good member.
 */
describe("what is broken in the shipped stacks", () => {
  let resources: readonly ResourceFacts[] = [];
  const stacks = new Map<string, readonly ResourceFacts[]>();
  beforeAll(async () => {
    resources = await shippedStacks();
    for (const role of stackRoles) stacks.set(role, resources.filter(({ stack }) => stack === role));
    stacks.set("all", resources.filter(({ stack }) => stack !== "drill"));
  }, 180_000);

  const shown = (rule: Rule, { resource, pattern, paths }: Read): string => `${rule.id} misses ${pattern} (${paths.size}) of ${resource.stack}/${resource.name} (${resource.type})`;

  const missedByResource = (rule: ResourceRule): readonly string[] =>
    breakable(rule, resources.flatMap((facts) => readsOf((log) => judgeResource(rule, facts, settings, log))))
      .filter(({ resource, pattern, paths }) => !isCaught(judgeResource(rule, breakResource(resource, [...paths.values()], rule.breaks[pattern]), settings)))
      .map((read) => shown(rule, read));

  const missedByStack = (rule: StackRule): readonly string[] =>
    [...stacks].filter(([name]) => (rule.scope === "system") === (name === "all")).flatMap(([, own]) => {
      const reads = breakable(rule, readsOf((log) => judgeStack(rule, own, settings, log)));
      const representatives = [...Map.groupBy(reads, ({ resource, pattern }) => `${resource.type} ${resource.stack} ${pattern}`).values()].flatMap((alike) => alike.slice(0, 1));
      return representatives
        .filter(({ resource, pattern, paths }) => !isCaught(judgeStack(rule, own.map((one) => (one === resource ? breakResource(one, [...paths.values()], rule.breaks[pattern]) : one)), settings)))
        .map((read) => shown(rule, read));
    });

  it.each(allRules.map((rule) => [rule.id, rule] as const))("is caught by %s", (_, rule) => {
    expect(rule.kind === "resource" ? missedByResource(rule) : missedByStack(rule)).toEqual([]);
  });

  it.each(allRules.map((rule) => [rule.id, rule] as const))("is all that %s reads, but for what says what a resource is", (_, rule) => {
    const reads = rule.kind === "resource" ? resources.flatMap((facts) => readsOf((log) => judgeResource(rule, facts, settings, log))) : [...stacks.values()].flatMap((own) => readsOf((log) => judgeStack(rule, own, settings, log)));
    const known = new Set([...Object.keys(rule.breaks), ...(rule.selects ?? [])]);
    expect([...new Set(reads.map(({ pattern }) => pattern))].filter((pattern) => !known.has(pattern))).toEqual([]);
  });
});

const breakable = (rule: Rule, reads: readonly Read[]): readonly Read[] => reads.filter(({ pattern }) => pattern in rule.breaks);

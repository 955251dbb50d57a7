import { ResourceReader, type ReadLog, type ResourceFacts } from "./resource.ts";
import type { Finding, ResourceRule, Rule, Settings, StackRule, Verdict } from "./rule.ts";
import { hasUnknown } from "./value.ts";

/** Judges one resource by a rule of its type; nothing where the rule is about another type. */
export function judgeResource(rule: ResourceRule, facts: ResourceFacts, settings: Settings, log?: ReadLog): readonly Finding[] {
  if (rule.types.length > 0 && !rule.types.includes(facts.type)) return [];
  return gather(rule, settings, (verdict) => rule.judge(new ResourceReader(facts, log), verdict));
}

/** Judges everything that is seen at once. */
export function judgeStack(rule: StackRule, resources: readonly ResourceFacts[], settings: Settings, log?: ReadLog): readonly Finding[] {
  return gather(rule, settings, (verdict) => rule.judge(resources.map((facts) => new ResourceReader(facts, log)), verdict));
}

/** Every rule over every resource. `system`: all regions are there, so rules about the whole of them are asked too. */
export function judgeAll(rules: readonly Rule[], resources: readonly ResourceFacts[], settings: Settings, { system = false }: { readonly system?: boolean } = {}): readonly Finding[] {
  const byType = Map.groupBy(resources, ({ type }) => type);
  return rules.flatMap((rule) => {
    if (rule.kind === "stack") return rule.scope === "system" && !system ? [] : judgeStack(rule, resources, settings);
    const concerned = rule.types.length === 0 ? resources : rule.types.flatMap((type) => byType.get(type) ?? []);
    return concerned.flatMap((facts) => judgeResource(rule, facts, settings));
  });
}

function gather(rule: Rule, settings: Settings, judge: (verdict: Verdict) => void): readonly Finding[] {
  const findings: Finding[] = [];
  const found = (kind: Finding["kind"], resource: ResourceReader, path: string, message: string) => findings.push({ rule: rule.id, about: resource.facts.urn, path, kind, message });
  const verdict: Verdict = {
    ...settings,
    violation: (resource, path, what) => void found("violation", resource, path, `${resource.facts.name}: ${path === "" ? "" : `${path} `}${what}. ${rule.protects} ${rule.fix}`),
    unjudged: (resource, path) => void found("unjudged", resource, path, `${resource.facts.name}: ${path} is not known before \`up\`, so ${rule.id} could not judge it`),
    property(resource, path, wrong) {
      const reading = resource.read(path);
      const where = resource.pathOf(path);
      if (reading.state === "unknown") {
        verdict.unjudged(resource, where);
        return;
      }
      const what = wrong(reading.state === "known" ? reading.value : undefined);
      if (what !== undefined) verdict.violation(resource, where, what);
      else if (reading.state === "known" && hasUnknown(reading.value)) verdict.unjudged(resource, where);
    },
    count(resource, path, wrong) {
      const members = resource.list(path);
      const what = members === undefined ? undefined : wrong(members.length);
      if (members === undefined) verdict.unjudged(resource, resource.pathOf(path));
      else if (what !== undefined) verdict.violation(resource, resource.pathOf(path), what);
    },
  };
  judge(verdict);
  return findings;
}

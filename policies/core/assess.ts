import { judgeAll } from "./judge.ts";
import type { ResourceFacts } from "./resource.ts";
import type { Finding, Rule, Settings } from "./rule.ts";
import type { EnforcementLevel, PackSettings } from "./settings.ts";
import { applyWaivers, waiverProblems, type Waived, type WaiverProblem } from "./waivers.ts";

export interface Assessment {
  /** What fails. */
  readonly violations: readonly Finding[];
  /** Violations of rules that are advice only. */
  readonly advice: readonly Finding[];
  /** What the values did not tell. */
  readonly unjudged: readonly Finding[];
  readonly waived: Waived["waived"];
  readonly waiverProblems: readonly WaiverProblem[];
  readonly kept: boolean;
}

export const levelOf = (rule: Rule, { enforcement }: Pick<PackSettings, "enforcement">): EnforcementLevel => enforcement[rule.id] ?? enforcement["all"] ?? rule.enforcement;

/** All rules over everything that is known of all stacks together, as the settings have it. */
export function assessResources(rules: readonly Rule[], resources: readonly ResourceFacts[], settings: PackSettings & Pick<Settings, "plan">, now: Date): Assessment {
  const asked = rules.filter((rule) => levelOf(rule, settings) !== "disabled");
  const advisory = new Set(asked.filter((rule) => levelOf(rule, settings) === "advisory").map(({ id }) => id));
  const findings = judgeAll(asked, resources, { plan: settings.plan, production: settings.production, now }, { system: true });
  const { standing, waived } = applyWaivers(findings, settings.waivers, now);
  const problems = waiverProblems({ waivers: settings.waivers, rules: rules.map(({ id }) => id), findings, stacks: new Set(resources.map(({ stack }) => stack)), now });
  const violations = standing.filter(({ kind, rule }) => kind === "violation" && !advisory.has(rule));
  return {
    violations,
    advice: standing.filter(({ kind, rule }) => kind === "violation" && advisory.has(rule)),
    unjudged: standing.filter(({ kind }) => kind === "unjudged"),
    waived,
    waiverProblems: problems,
    kept: violations.length === 0 && problems.every(({ kind }) => kind === "unused"),
  };
}

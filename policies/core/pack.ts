import type { Policies, PolicyConfigSchema, PolicyResource, ReportViolation, ResourceRemediation, ResourceValidation, ResourceValidationArgs, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import type { Plan } from "../../plan/types.ts";
import { factsOfResource, factsOfStack } from "./from-policy.ts";
import { judgeResource, judgeStack } from "./judge.ts";
import { withNamespaces } from "./namespaces.ts";
import type { Remedy } from "./remedies.ts";
import type { ResourceFacts } from "./resource.ts";
import type { Finding, ResourceRule, Rule, Settings, StackRule } from "./rule.ts";
import { readPackConfig, settingsId, settingsProperties, strictest, type PackConfig } from "./settings.ts";
import { unknown } from "./value.ts";
import { applyWaivers, stackOfUrn, waiverProblems } from "./waivers.ts";

export interface PackInput {
  readonly rules: readonly Rule[];
  readonly plan: Plan;
  readonly remedies: readonly Remedy[];
  readonly now: () => Date;
}

/** Policies that are not rules: about the configuration, and about what could not be judged. */
export const ownPolicies = { settings: settingsId, waivers: "waivers", unused: "unused-waivers", unjudged: "not-judged" } as const;

/**
 * The rules as the engine's policies, in the order in which it asks them. The engine gives a policy its own
 * configuration only, so that the settings, which are everybody's, come in by the first one.
 */
export function policiesOf({ rules, plan, remedies, now }: PackInput): Policies {
  const run = new Run(plan, rules, now);
  return [
    settingsPolicy(run),
    ...rules.flatMap((rule): Policies => (rule.kind === "resource" ? [resourcePolicy(rule, run, remedies.find(({ rule: id }) => id === rule.id))] : rule.scope === "system" ? [] : [stackPolicy(rule, run)])),
    ...closingPolicies(run),
  ];
}

/** What one operation of the engine has brought to light so far. */
class Run {
  readonly plan: Plan;
  readonly rules: readonly Rule[];
  readonly now: () => Date;
  readonly unjudged = new Map<string, Finding>();
  readonly found = new Map<string, Pick<Finding, "rule" | "about">>();
  config: PackConfig = strictest;
  readonly #inputs = new Map<string, ResourceFacts>();
  #stack: readonly ResourceFacts[] | undefined;

  constructor(plan: Plan, rules: readonly Rule[], now: () => Date) {
    this.plan = plan;
    this.rules = rules;
    this.now = now;
  }

  get settings(): Settings {
    return { plan: this.plan, production: this.config.production, now: this.now() };
  }

  resource(args: ResourceValidationArgs): ResourceFacts {
    this.#stack = undefined; // what is asked of the whole stack comes after all of its resources
    const facts = factsOfResource(args);
    this.#inputs.set(facts.urn, facts);
    return facts;
  }

  /**
   * Read once for all rules of an operation. What is seen of the whole stack is outputs, and before `up` there are none
   * of a provider that is not known yet, as of a cluster that is about to be made: the inputs, seen before, fill in.
   */
  stack(resources: readonly PolicyResource[]): readonly ResourceFacts[] {
    return (this.#stack ??= withNamespaces(factsOfStack(resources).map((facts) => ({ ...facts, props: { ...facts.props, ...known(this.#inputs.get(facts.urn)?.props ?? {}, facts.props) } }))));
  }

  /** Tells the engine what stands, and remembers the rest for the end. */
  tell(findings: readonly Finding[], report: ReportViolation): void {
    for (const { rule, about } of findings) this.found.set(`${rule} ${about}`, { rule, about });
    for (const finding of applyWaivers(findings, this.config.waivers, this.now()).standing) {
      if (finding.kind === "unjudged") this.unjudged.set(`${finding.rule} ${finding.about} ${finding.path}`, finding);
      else report(finding.message, finding.about);
    }
  }
}

/** The inputs, but for those that only the outputs tell. */
const known = (inputs: ResourceFacts["props"], outputs: ResourceFacts["props"]): ResourceFacts["props"] => Object.fromEntries(Object.entries(inputs).filter(([key, value]) => value !== unknown || outputs[key] === undefined));

const described = (rule: Rule) => ({ name: rule.id, description: rule.protects, enforcementLevel: rule.enforcement, severity: rule.severity, remediationSteps: rule.fix });

function resourcePolicy(rule: ResourceRule, run: Run, remedy: Remedy | undefined): ResourceValidationPolicy {
  const validateResource: ResourceValidation = (args, report) => {
    if (rule.types.length === 0 || rule.types.includes(args.type)) run.tell(judgeResource(rule, run.resource(args), run.settings), report);
  };
  // The engine asks for every resource of the program: what keeps the rule, or cannot be judged yet, is left alone.
  const remediateResource: ResourceRemediation = (args) => (judgeResource(rule, factsOfResource(args), run.settings).some(({ kind }) => kind === "violation") ? remedy?.mend(args.props, run.plan) : undefined);
  return { ...described(rule), validateResource: ofItsType(rule, validateResource), ...(remedy === undefined ? {} : { remediateResource: ofItsType(rule, remediateResource) }) };
}

/**
 * As the SDK's `validateResourceOfType` marks it, but without the class, for which the provider's SDK would be loaded.
 * The SDK reads a resource anew for every policy, unless the policy is about one other type: most of a preview's time.
 */
function ofItsType<Asked extends ResourceValidation | ResourceRemediation>({ types: [type, ...more] }: ResourceRule, asked: Asked): Asked {
  return type === undefined || more.length > 0 ? asked : Object.assign(asked, { __pulumiType: type });
}

const stackPolicy = (rule: StackRule, run: Run): StackValidationPolicy => ({
  ...described(rule),
  validateStack: ({ resources }, report) => run.tell(judgeStack(rule, run.stack(resources), run.settings), report),
});

const settingsPolicy = (run: Run): ResourceValidationPolicy => ({
  name: ownPolicies.settings,
  description: "The pack's own configuration: whether this is production, and what is let off a rule until when.",
  enforcementLevel: "mandatory",
  configSchema: { properties: settingsProperties } satisfies PolicyConfigSchema,
  validateResource(args, report) {
    run.resource(args); // every resource comes by here, also where no rule is about its type
    const read = readPackConfig(args.getConfig());
    run.config = read.ok ? read.value : strictest;
    if (!read.ok) report(read.problems.join("\n"));
  },
});

function closingPolicies(run: Run): readonly StackValidationPolicy[] {
  const problems = (resources: readonly PolicyResource[]) =>
    waiverProblems({ waivers: run.config.waivers, rules: run.rules.map(({ id }) => id), findings: [...run.found.values()], stacks: new Set(resources.map(({ urn }) => stackOfUrn(urn))), now: run.now() });
  return [
    {
      name: ownPolicies.waivers,
      description: "A waiver names a rule that there is, and is not used after its last day.",
      enforcementLevel: "mandatory",
      validateStack({ resources }, report) {
        for (const { kind, message } of problems(resources)) if (kind !== "unused") report(message);
      },
    },
    {
      name: ownPolicies.unused,
      description: "A waiver that is no longer needed is taken out.",
      enforcementLevel: "advisory",
      validateStack({ resources }, report) {
        for (const { kind, message } of problems(resources)) if (kind === "unused") report(message);
      },
    },
    {
      name: ownPolicies.unjudged,
      description: "Some values are known only once `up` has made what they come from; these rules are asked again then.",
      enforcementLevel: "advisory",
      validateStack(_, report) {
        for (const [rule, findings] of Map.groupBy(run.unjudged.values(), (finding) => finding.rule)) report(unjudgedText(rule, findings));
        run.unjudged.clear();
      },
    },
  ];
}

/** One line a rule: at a preview of a new stack there can be hundreds. */
export function unjudgedText(rule: string, findings: readonly Finding[]): string {
  const byResource = Map.groupBy(findings, ({ about }) => about.split("::").slice(3).join("::"));
  return `${rule} could not judge ${[...byResource].map(([name, own]) => `${name} (${[...new Set(own.map(({ path }) => path))].join(", ")})`).join("; ")}`;
}

import { readFileSync } from "node:fs";
import type { Plan } from "../../plan/types.ts";
import { assessResources } from "../../policies/core/assess.ts";
import { factsOfState } from "../../policies/core/from-state.ts";
import type { ResourceFacts } from "../../policies/core/resource.ts";
import type { Rule } from "../../policies/core/rule.ts";
import { readSettings, type PackSettings } from "../../policies/core/settings.ts";
import { allRules } from "../../policies/rules/all.ts";
import { DrError, exitCodes, messageOf } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";
import { renderJudgement } from "../render/judgement.ts";

export interface StatesInput {
  readonly plan: Plan;
  /** Files that `pulumi stack export` wrote, one for each stack. */
  readonly states: readonly string[];
  /** File of the policies' settings; absent: production, without a waiver. */
  readonly settings: string | undefined;
  readonly now: Date;
  readonly rules?: readonly Rule[];
}

/** `dr plan --state A --state B`: what is there, all regions together, under every rule. */
export function planStates(context: CliContext, { plan, states, settings, now, rules = allRules }: StatesInput): void {
  const exported = states.map((file) => ({ file, facts: factsIn(file) }));
  refuseTwice(exported);
  const resources = exported.flatMap(({ facts }) => facts);
  const assessment = assessResources(rules, resources, { plan, ...settingsIn(settings, rules) }, now);
  const stacks = [...new Set(resources.map(({ stack }) => stack))];
  context.print(renderJudgement({ assessment, stacks, resources: resources.length, rules: rules.length }), { stacks, resources: resources.length, rules: rules.length, ...assessment });
  if (!assessment.kept) context.setExitCode(exitCodes.failed);
}

/** The same stack from two exports would count every copy twice, and 3-2-1 would be kept by a single volume. */
function refuseTwice(exported: readonly { readonly file: string; readonly facts: readonly ResourceFacts[] }[]): void {
  const files = new Map<string, string>();
  for (const { file, facts } of exported) {
    for (const stack of new Set(facts.map(({ stack: name }) => name))) {
      const before = files.get(stack);
      if (before !== undefined) throw new DrError({ kind: "usage", what: `the stack ${stack} is in ${before} as well, and what it holds would count twice`, where: file, todo: "Give each stack once, by its newest export." });
      files.set(stack, file);
    }
  }
}

const howToExport = "Write it by `pulumi stack export --stack NAME --file FILE`.";

function factsIn(file: string): readonly ResourceFacts[] {
  const state = readJson(file, howToExport);
  try {
    const facts = factsOfState(state);
    if (facts.length > 0) return facts;
  } catch (cause) {
    throw new DrError({ kind: "usage", what: messageOf(cause), where: file, todo: howToExport, cause });
  }
  throw new DrError({ kind: "usage", what: "the stack holds nothing, so that there is nothing to judge", where: file, todo: "Export a stack that has come up." });
}

function settingsIn(file: string | undefined, rules: readonly Rule[]): PackSettings {
  const read = readSettings(file === undefined ? {} : readJson(file, "Give the file that --policy-pack-config takes."), rules.map(({ id }) => id));
  if (read.ok) return read.value;
  throw new DrError({ kind: "usage", what: `the settings of the policies are wrong: ${read.problems.join("; ")}`, where: file ?? "the defaults", todo: "Mend them; README.md says what may stand there." });
}

function readJson(file: string, todo: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new DrError({ kind: "usage", what: `cannot be read as JSON: ${messageOf(cause)}`, where: file, todo, cause });
  }
}

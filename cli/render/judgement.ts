import { wrapText } from "../../drill/report/text-table.ts";
import type { Assessment } from "../../policies/core/assess.ts";
import { unjudgedText } from "../../policies/core/pack.ts";
import type { Finding } from "../../policies/core/rule.ts";

/** What the rules say of the stacks' states. */
export interface Judgement {
  readonly assessment: Assessment;
  readonly stacks: readonly string[];
  readonly resources: number;
  readonly rules: number;
}

const width = 100;

/** For people, at most 100 columns wide, as `dr plan` is. */
export function renderJudgement({ assessment, stacks, resources, rules }: Judgement): string {
  const { violations, advice, unjudged, waived, waiverProblems, kept } = assessment;
  const byRule = [...Map.groupBy(unjudged, ({ rule }) => rule)].map(([rule, findings]) => unjudgedText(rule, findings));
  return [
    `${resources} resources of ${stacks.join(", ")} under ${rules} rules`,
    ...section("Violations", violations.map(lineOf)),
    ...section("Waivers", waiverProblems.map(({ message }) => message)),
    ...section("Advice", advice.map(lineOf)),
    ...section("Waived", waived.map(({ finding, waiver }) => `${finding.rule}: ${waiver.resource}, until ${waiver.expires}: ${waiver.reason}`)),
    ...section("Not judged, because a value is secret or not known", byRule),
    kept ? "Every rule is kept." : `NOT KEPT: ${violations.length} violations${waiverProblems.some(({ kind }) => kind !== "unused") ? ", and waivers that do not hold" : ""}`,
  ].join("\n\n");
}

const lineOf = ({ rule, about, message }: Finding): string => `${rule}: ${about.split("::")[0]?.replace(/^urn:pulumi:/, "") ?? about}/${message}`;

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return [[title, "", ...lines.flatMap((line) => wrapText(line, width - 2).map((text, index) => (index === 0 ? `- ${text}` : `  ${text}`)))].join("\n")];
}

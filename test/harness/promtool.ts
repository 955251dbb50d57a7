import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../runner/system/process.ts";
import { lookUpProgram } from "../../runner/system/programs.ts";
import { temporaryFolder } from "./temporary.ts";

/** Prometheus' own judge of rules; `undefined` where it is not installed. */
export const promtool = await lookUpProgram("promtool");

/** What the rules are given: a series, and its value at each step. */
export type Series = Readonly<Record<string, readonly number[]>>;

/** What must fire at a minute: how many alerts of each name, and nothing besides. */
export interface Expected {
  readonly minute: number;
  readonly firing: Readonly<Record<string, number>>;
}

async function call(args: (folder: string) => readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  if (promtool === undefined) throw new Error("promtool is not installed");
  const folder = await temporaryFolder("promtool");
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
    const { code, stdout, stderr } = await run(promtool, [...args(folder.path)], { deadline: 120, accept: [0, 1] });
    return code === 0 ? "" : `${stdout}\n${stderr}`;
  } finally {
    await folder.remove();
  }
}

/** What `promtool check rules` has to say against a rule file; nothing where it is good. */
export const checkRules = (rules: string): Promise<string> => call((folder) => ["check", "rules", "--lint=all", "--lint-fatal", join(folder, "rules.yml")], { "rules.yml": rules });

/** One line of a unit test of PromQL: what a query gives at a minute. */
export interface QueryTest {
  readonly expr: string;
  readonly eval_time: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
}

export interface RuleTest {
  /** Minutes between two evaluations, and between two values of a series. Default: 1. */
  readonly step?: number;
  readonly queries?: readonly QueryTest[];
  readonly alerts?: readonly object[];
}

/** What `promtool test rules` finds wrong; nothing where all is as expected. */
export async function testRules(rules: string, series: Series, { step = 1, queries = [], alerts = [] }: RuleTest): Promise<string> {
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values: written(values) }));
  // JSON is YAML.
  const test = { rule_files: ["rules.yml"], evaluation_interval: `${step}m`, tests: [{ interval: `${step}m`, input_series: input, promql_expr_test: queries, alert_rule_test: alerts }] };
  return call((folder) => ["test", "rules", join(folder, "test.yml")], { "rules.yml": rules, "test.yml": JSON.stringify(test) });
}

/** `NaN` stands for no sample: the series has ended. */
function written(values: readonly number[]): string {
  return values.map((value) => (Number.isNaN(value) ? "stale" : String(value).replace("Infinity", "Inf"))).join(" ");
}

/** A query that counts the alerts which fire at a minute, by their names, without the one that always does. */
export const firingAt = ({ minute, firing }: Expected, always: string): QueryTest => ({
  expr: `count by (alertname) (ALERTS{alertstate="firing",alertname!="${always}"})`,
  eval_time: `${minute}m`,
  exp_samples: Object.entries(firing).map(([alertname, value]) => ({ labels: `{alertname="${alertname}"}`, value })),
});

import { writeFile } from "node:fs/promises";
import type { StackRole } from "../../plan/names.ts";
import { EngineError, startEngine, type Engine } from "./engine.ts";
import type { Summary } from "./engine-events.ts";
import { inOrder, project, stackOfRole } from "./engine-stacks.ts";
import { withPack } from "./policy-pack.ts";

/**
 * Previews every stack with the policy pack, as the workflow of pull requests does: a state in a folder, simulated
 * providers, no credential and no cloud. What a stack looks up in the ones before it is made there first, simulated.
 * `node test/harness/preview-stacks.ts [FILE]` writes a table for people; exit 1 where a stack does not pass.
 */
export interface Previewed {
  readonly role: StackRole;
  readonly passed: boolean;
  readonly summary: Summary;
  /** What the engine said where it failed. */
  readonly failure: string | undefined;
}

const roles: readonly StackRole[] = [...inOrder, "drill"];
/** The drill looks at what these three make. */
const lookedUp: ReadonlySet<StackRole> = new Set(["global", "archive", "secondary"]);

async function previewOf(engine: Engine, role: StackRole, args: readonly string[]): Promise<Previewed> {
  const stack = await stackOfRole(engine, role);
  try {
    const summary = await stack.preview({ args });
    if (lookedUp.has(role)) await stack.up();
    return { role, passed: true, summary, failure: undefined };
  } catch (error) {
    if (error instanceof EngineError) return { role, passed: false, summary: error.summary, failure: error.message };
    throw error;
  }
}

/** Markdown, for a comment on a pull request. */
export function tableOf(previewed: readonly Previewed[]): string {
  const failed = previewed.filter(({ passed }) => !passed);
  const broken = (one: Previewed) => one.summary.policies.filter(({ level }) => level !== "advisory");
  const details = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : ["", `<details><summary>${title}</summary>`, "", ...lines.map((line) => `- ${line.replaceAll("\n", " ")}`), "", "</details>"]);
  return [
    "### Preview of the stacks under the policies",
    "",
    failed.length === 0 ? "Every stack passes." : `**Not passed: ${failed.map(({ role }) => role).join(", ")}.**`,
    "",
    "| stack | | to create | violations | advice |",
    "|---|---|---|---|---|",
    ...previewed.map((one) => `| ${one.role} | ${one.passed ? "passed" : "**failed**"} | ${one.summary.created} | ${broken(one).length} | ${one.summary.policies.length - broken(one).length} |`),
    ...failed.flatMap((one) => [
      "", `**${one.role}**`, "",
      ...broken(one).map(({ policy, urn, message }) => `- \`${policy}\` at \`${urn?.split("::").slice(2).join(" ") ?? one.role}\`: ${message.replaceAll("\n", " ")}`),
      ...(broken(one).length > 0 ? [] : ["```", (one.failure ?? "").slice(0, 4_000), "```"]),
    ]),
    ...previewed.flatMap((one) => details(`What the policies advise, and could not judge yet: ${one.role}`, one.summary.policies.filter(({ level }) => level === "advisory").map(({ policy, message }) => `\`${policy}\`: ${message}`))),
    "",
  ].join("\n");
}

export async function previewStacks(): Promise<readonly Previewed[]> {
  const engine = await startEngine(project);
  try {
    const args = await withPack(engine);
    const previewed: Previewed[] = [];
    for (const role of roles) previewed.push(await previewOf(engine, role, args));
    return previewed;
  } finally {
    await engine.close();
  }
}

if (import.meta.main) {
  const previewed = await previewStacks();
  const [file] = process.argv.slice(2);
  if (file === undefined) process.stdout.write(tableOf(previewed));
  else await writeFile(file, tableOf(previewed));
  process.exitCode = previewed.every(({ passed }) => passed) ? 0 : 1;
}

import type { z } from "zod";
import { stackRoles, type StackRole } from "../../plan/names.ts";
import { examples } from "./examples.ts";
import { schemas, type StackConfig } from "./schema.ts";

export const namespace = "blackroad-dr";

/** A stack's configuration that cannot be used, with every key that is missing or wrong. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(stack: string, problems: readonly string[]) {
    super([`the configuration of the stack ${stack} has ${problems.length} error${problems.length === 1 ? "" : "s"}:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
  }
}

/** The values as the engine gives them, by their full names: text, of which objects are JSON. */
export type RawConfig = Readonly<Record<string, string>>;

/**
 * The stack's configuration, checked as a whole.
 * @throws ConfigurationError that names every wrong, missing and unknown key of ours in full, each with an example
 */
export function readConfiguration(stack: string, raw: RawConfig): StackConfig {
  const own = Object.fromEntries(Object.entries(raw).flatMap(([name, value]) => (name.startsWith(`${namespace}:`) ? [[name.slice(namespace.length + 1), valueOf(value)]] : [])));
  const role = stackRoles.find((one) => one === own["role"]);
  if (role === undefined) throw new ConfigurationError(stack, [`${namespace}:role is ${own["role"] === undefined ? "missing" : JSON.stringify(own["role"])}; expected one of ${stackRoles.join(", ")}; for example: pulumi config set ${namespace}:role primary`]);
  const parsed = parse(role, own);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(stack, problemsOf(parsed.error.issues));
}

function parse(role: StackRole, own: unknown): z.ZodSafeParseResult<StackConfig> {
  return schemas[role].safeParse(own);
}

/** Pulumi hands objects over as JSON, and anything else as it was written. */
function valueOf(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    // A bare number may be an account's id, whose leading zeros count: only objects and words of JSON are taken.
    return typeof parsed === "number" ? value : parsed;
  } catch {
    return value; // it is plain text
  }
}

function problemsOf(issues: readonly z.core.$ZodIssue[]): readonly string[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => `${fullName([...issue.path, key])} is no key of this stack; remove it`);
    const [key] = issue.path;
    const example = key === undefined ? undefined : examples[String(key)];
    return [`${fullName(issue.path)}: ${issue.message}${example === undefined ? "" : `; for example: pulumi config set ${namespace}:${String(key)} '${example}'`}`];
  });
}

const fullName = (path: readonly PropertyKey[]): string => `${namespace}:${path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`)).join("")}`;

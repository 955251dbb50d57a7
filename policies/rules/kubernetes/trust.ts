/** Who may take an AWS role with a token of a cluster, as its trust policy says. */
import type { ResourceReader } from "../../core/resource.ts";
import { readPath, unknown } from "../../core/value.ts";

export const roleType = "aws:iam/role:Role";
export const trustPath = "assumeRolePolicy";
export const statementPath = `${trustPath}.Statement`;

/** The statements of a role's trust; `unknown` before `up`, `undefined` where there is none or it is no JSON. */
export function trustOf(role: ResourceReader): readonly ResourceReader[] | "unknown" | undefined {
  const document = role.json(trustPath);
  if (document === "unknown") return "unknown";
  if (document === "unset" || document === "invalid") return undefined;
  const statements = document.list("Statement");
  if (statements === undefined) return "unknown";
  if (statements.length > 0) return statements;
  // AWS takes one statement without a list as well.
  const single = document.json("Statement");
  return typeof single === "object" && single.keys([]).length > 0 ? [single] : undefined;
}

/** What a condition wants to be exactly so, by the end of its key: `sub` and `aud`. Patterns and alternatives are none. */
export function exactly(condition: unknown, claim: "sub" | "aud"): string | typeof unknown | undefined {
  const equals = readPath(condition, ["StringEquals"]);
  if (equals.state === "unknown") return unknown;
  if (equals.state === "unset" || typeof equals.value !== "object" || equals.value === null) return undefined;
  const found: readonly unknown[] = Object.entries(equals.value).filter(([key]) => key.endsWith(`:${claim}`)).map(([, value]: [string, unknown]) => (Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value));
  if (found.length !== 1) return undefined;
  const [value] = found;
  if (value === unknown) return unknown;
  return typeof value === "string" && value !== "" && !/[*?]/.test(value) ? value : undefined;
}

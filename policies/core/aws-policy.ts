/** Policies of AWS as rules read them: statement by statement, their lists and single values alike. */
import type { ResourceReader } from "./resource.ts";
import { unset, type Verdict } from "./rule.ts";
import { shown } from "./value.ts";

export interface PolicyStatements {
  /** Of which every part is known: only such a one can be what a rule asks for. */
  readonly known: readonly ResourceReader[];
  /** Those and the others, a part of which is not known yet: what the rest of it allows is allowed anyway. */
  readonly all: readonly ResourceReader[];
  /** Whether every statement is known. */
  readonly complete: boolean;
}

/**
 * The statements of a policy, which is JSON text or an object. What cannot be read is reported, so that `undefined`
 * needs no more words. `whereUnset`: what is wrong with having none; `undefined` where AWS's own default is right.
 */
export function statementsOf(resource: ResourceReader, path: string, verdict: Verdict, whereUnset: string | undefined): PolicyStatements | undefined {
  const policy = resource.json(path);
  if (policy === "unknown") verdict.unjudged(resource, path);
  else if (policy === "invalid") verdict.violation(resource, path, "is no JSON");
  else if (policy === "unset") {
    if (whereUnset !== undefined) verdict.violation(resource, path, whereUnset);
  } else return statementsIn(policy, resource, verdict);
  return undefined;
}

function statementsIn(policy: ResourceReader, resource: ResourceReader, verdict: Verdict): PolicyStatements | undefined {
  const list = policy.list("Statement");
  const path = policy.pathOf("Statement");
  if (list === undefined) {
    verdict.unjudged(resource, path);
    return undefined;
  }
  // AWS takes one statement without a list as well.
  const single = list.length === 0 ? policy.json("Statement") : "unset";
  const statements = typeof single === "object" && single.keys([]).length > 0 ? [single] : list;
  if (statements.length === 0) {
    verdict.violation(resource, path, "has no statement");
    return undefined;
  }
  const known = statements.filter(isKnown);
  for (const statement of statements) {
    if (!known.includes(statement)) verdict.unjudged(resource, statement.where);
    const foreign = statement.keys([]).filter((key) => !elements.includes(key));
    if (foreign.length > 0) verdict.violation(resource, statement.where, `has ${foreign.join(", ")}, which no rule reads; a statement has ${elements.join(", ")}`);
    if (statement.read("Effect").state !== "unknown") verdict.property(statement, "Effect", (effect) => (effect === "Allow" || effect === "Deny" ? undefined : `${shown(effect)}, neither "Allow" nor "Deny"`));
  }
  return { known, all: statements, complete: known.length === statements.length };
}

/** `breaks` of a rule that reads the statements of a policy at `path`. */
export const policyBreaks = (path: string, statement: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  [path]: unset,
  [`${path}.Statement`]: unset,
  [`${path}.Statement[*]`]: { Effect: "Allow", notaction: "*" },
  ...Object.fromEntries(Object.entries(statement).map(([key, value]) => [`${path}.Statement[*].${key}`, value])),
});

const parts = ["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
/** As AWS spells them: what is spelt otherwise would be passed by. */
const elements: readonly string[] = ["Sid", ...parts];
const isKnown = (statement: ResourceReader): boolean => !parts.some((part) => statement.hasUnknown(part));

/** A text or a list of texts, as AWS takes both. */
export function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

const read = (statement: ResourceReader, key: string): unknown => {
  const reading = statement.read(key);
  return reading.state === "known" ? reading.value : undefined;
};

export const isAllow = (statement: ResourceReader): boolean => read(statement, "Effect") === "Allow";
export const isDeny = (statement: ResourceReader): boolean => read(statement, "Effect") === "Deny";

export const actionsOf = (statement: ResourceReader): readonly string[] => texts(read(statement, "Action"));
/** `NotAction` in a statement that allows: whatever AWS invents tomorrow. */
export const allButActions = (statement: ResourceReader): boolean => read(statement, "NotAction") !== undefined;
export const resourcesOf = (statement: ResourceReader): readonly string[] => texts(read(statement, "Resource"));

/** Everybody that a statement speaks of, `*` being everybody; of a role's own policy nobody. */
export function principalsOf(statement: ResourceReader): readonly string[] {
  const value = read(statement, "Principal");
  if (typeof value !== "object" || value === null) return texts(value);
  return Object.values(value).flatMap(texts);
}
/** Whether a statement that allows does so for anybody: any pattern of principals is one that others fit as well. */
export const isForEverybody = (statement: ResourceReader): boolean => principalsOf(statement).some((principal) => principal.includes("*"));
/** Whether a statement that denies does so for all: `*` of services or of federated users is not everybody. */
function meansEverybody(statement: ResourceReader): boolean {
  const value = read(statement, "Principal");
  return texts(typeof value === "object" && value !== null && "AWS" in value ? value.AWS : value).includes("*");
}
export const allButPrincipals = (statement: ResourceReader): boolean => read(statement, "NotPrincipal") !== undefined;

/** `Condition` as operator, key, values; keys and operators in the case that they stand in. */
export type Conditions = readonly { readonly operator: string; readonly key: string; readonly values: readonly string[] }[];

export function conditionsOf(statement: ResourceReader): Conditions {
  const value = read(statement, "Condition");
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([operator, keys]: readonly [string, unknown]) =>
    typeof keys === "object" && keys !== null ? Object.entries(keys).map(([key, values]: readonly [string, unknown]) => ({ operator, key, values: texts(typeof values === "boolean" || typeof values === "number" ? String(values) : values) })) : []);
}

/** A condition by which a denial leaves out those whom it names, and nobody else. */
export const exceptsByName = ({ operator, key, values }: Conditions[number]): boolean => /^ArnNot(Like|Equals)$/.test(operator) && key.toLowerCase() === "aws:principalarn" && values.length > 0;

/** Whether one of the patterns, with AWS's `*` and `?`, is of the name, whose own `*` is anything; case counts in ARNs and not in actions. */
export const covers = (patterns: readonly string[], name: string): boolean => patterns.some((pattern) => glob(pattern).test(name));
export const coversAction = (patterns: readonly string[], action: string): boolean => covers(patterns.map((pattern) => pattern.toLowerCase()), action.toLowerCase());

const glob = (pattern: string): RegExp => new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", ".*").replaceAll("?", "[^*]")}$`, "s");

/** Whether a statement keeps everybody from all of the actions, on all of the resources. */
export const deniesEverybody = (statement: ResourceReader, actions: readonly string[], resources: readonly string[]): boolean =>
  isDeny(statement) && meansEverybody(statement) && actions.every((action) => coversAction(actionsOf(statement), action)) && resources.every((resource) => covers(resourcesOf(statement), resource));

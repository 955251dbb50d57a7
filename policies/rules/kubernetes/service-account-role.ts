import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { unknown } from "../../core/value.ts";
import { any, equal, namespaceOf, sameStack, valueAt, type Match } from "./selector.ts";
import { exactly, roleType, statementPath, trustOf, trustPath } from "./trust.ts";

const type = "kubernetes:core/v1:ServiceAccount";
const annotation = ["metadata", "annotations", "eks.amazonaws.com/role-arn"] as const;
const annotationPath = annotation.join(".");
const somebodyElse = { StringEquals: { "issuer:sub": "system:serviceaccount:default:default", "issuer:aud": "sts.amazonaws.com" } };

export const serviceAccountRole: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "service-account-role",
  severity: "high",
  enforcement: "mandatory",
  protects: "Where a role trusts another account than the one that is annotated with it, the job has no credentials in the night that it is needed, and somebody else has them.",
  fix: "Let the role's trust policy name system:serviceaccount:NAMESPACE:NAME of the annotated service account.",
  breaks: {
    "metadata.name": "somebody-else", "metadata.namespace": "elsewhere",
    [trustPath]: "nobody", [statementPath]: [], [`${statementPath}[*].Condition`]: somebodyElse,
  },
  selects: [annotationPath, "name"],
  judge(resources, verdict) {
    const roles = resources.filter(({ facts }) => facts.type === roleType);
    for (const account of resources.filter(({ facts }) => facts.type === type)) judgeAccount(account, roles, verdict);
  },
};

function judgeAccount(account: ResourceReader, roles: readonly ResourceReader[], verdict: Verdict): void {
  const arn = account.read(annotation);
  if (arn.state === "unset") return;
  const own = roleOf(account, arn.state === "known" ? arn.value : unknown, roles.filter((role) => sameStack(role, account)));
  if (own.length === 0) {
    verdict.unjudged(account, annotationPath); // another stack's
    return;
  }
  const [namespace, name] = [namespaceOf(account), valueAt(account, "metadata.name")];
  const subject = typeof namespace === "string" && typeof name === "string" ? `system:serviceaccount:${namespace}:${name}` : unknown;
  const trusted = any(own.map((role) => trusts(role, subject)));
  if (trusted === "unknown") verdict.unjudged(account, annotationPath);
  if (trusted === "no") verdict.violation(account, annotationPath, `is a role that does not trust ${subject === unknown ? "this account" : subject}`);
}

/** By what the annotation comes from, which is known before the ARN is; else by the name that ends the ARN. */
function roleOf(account: ResourceReader, arn: unknown, roles: readonly ResourceReader[]): readonly ResourceReader[] {
  const from = account.facts.propertyDependencies["metadata"] ?? [];
  const dependedOn = roles.filter(({ facts }) => from.includes(facts.urn));
  if (dependedOn.length === 1 || typeof arn !== "string") return dependedOn;
  const named = roles.filter((role) => valueAt(role, "name") === arn.split("/").at(-1));
  return named.length > 0 ? named : dependedOn;
}

function trusts(role: ResourceReader, subject: unknown): Match {
  const statements = trustOf(role);
  if (statements === "unknown") return "unknown";
  return any((statements ?? []).map((statement) => equal(exactly(valueAt(statement, "Condition"), "sub"), subject)));
}

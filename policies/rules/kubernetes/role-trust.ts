import { isDeny } from "../../core/aws-policy.ts";
import type { ResourceReader } from "../../core/resource.ts";
import { unset, type ResourceRule, type Verdict } from "../../core/rule.ts";
import { readPath, shown, unknown } from "../../core/value.ts";
import { isWorkload } from "../workloads.ts";
import { valueAt } from "./selector.ts";
import { exactly, roleType, statementPath, trustOf, trustPath } from "./trust.ts";

const account = /^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$/;

/** EKS's other way: an association of its own names the service account. */
const podIdentity = "pods.eks.amazonaws.com";

export const roleTrust: ResourceRule = {
  kind: "resource",
  id: "role-trust",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A role that any token of the cluster opens belongs to whoever starts a pod there, and with it what the role may do to the backups.",
  fix: "Let the trust policy name the cluster's provider, and under StringEquals its `aud` and the one service account as its `sub`.",
  types: [roleType],
  breaks: { name: "somebody", [trustPath]: "nobody", [statementPath]: [], [`${statementPath}[*].Principal`]: "*", [`${statementPath}[*].Condition`]: unset },
  selects: [`${statementPath}[*].Effect`],
  judge(resource, verdict) {
    const statements = trustOf(resource);
    if (statements === "unknown") verdict.unjudged(resource, trustPath);
    else if (statements === undefined) verdict.violation(resource, trustPath, "has no statement that says who may take the role");
    else {
      for (const statement of statements) judgeStatement(statement, verdict);
      if (statements.some(isOfCluster)) judgeName(resource, statements, verdict);
    }
  },
};

/** A name by which the rules about what workloads may do know it; and nobody but the service account takes the role. */
function judgeName(role: ResourceReader, statements: readonly ResourceReader[], verdict: Verdict): void {
  const { name: plan } = verdict.plan;
  verdict.property(role, "name", (name) => (typeof name === "string" && isWorkload(plan, name) ? undefined : `${shown(name)}, which no rule takes for a workload's; call it ${plan}-dr-…`));
  for (const statement of statements.filter((one) => !isDeny(one) && !isOfCluster(one))) verdict.violation(statement, statement.pathOf("Principal"), "lets others than the service account take the role");
}

function isOfCluster(statement: ResourceReader): boolean {
  const principal = statement.read("Principal");
  if (principal.state !== "known") return false;
  const service = readPath(principal.value, ["Service"]);
  return readPath(principal.value, ["Federated"]).state !== "unset" || (service.state === "known" && [service.value].flat().includes(podIdentity));
}

function judgeStatement(statement: ResourceReader, verdict: Verdict): void {
  if (isDeny(statement)) return;
  verdict.property(statement, "Principal", (principal) => (isAnybody(principal) ? `${shown(principal)}, which is anybody` : undefined));
  const principal = statement.read("Principal");
  if (principal.state === "known" && readPath(principal.value, ["Federated"]).state !== "unset") judgeCondition(statement, verdict);
}

function judgeCondition(statement: ResourceReader, verdict: Verdict): void {
  const condition = valueAt(statement, "Condition");
  const [subject, audience] = [exactly(condition, "sub"), exactly(condition, "aud")];
  verdict.property(statement, "Condition", () => {
    if (subject === undefined || (typeof subject === "string" && !account.test(subject))) return `${shown(condition)}, which is not one service account`;
    return audience === undefined ? `${shown(condition)}, without the audience that the token is for` : undefined;
  });
}

function isAnybody(principal: unknown): boolean {
  if (principal === undefined || principal === "*") return true;
  if (Array.isArray(principal)) return principal.some(isAnybody);
  return typeof principal === "object" && principal !== null && Object.values(principal).some((one: unknown) => one !== unknown && isAnybody(one));
}

import { unset, type ResourceRule, type Verdict } from "../../core/rule.ts";
import type { ResourceReader } from "../../core/resource.ts";
import { shown } from "../../core/value.ts";
import { membersOf } from "./pod-spec.ts";

const api = "kubernetes:rbac.authorization.k8s.io/v1";
const roles: readonly string[] = [`${api}:Role`, `${api}:ClusterRole`];
/** Who has them gives himself every other right. */
const asGoodAsAll: readonly unknown[] = ["*", "escalate", "bind", "impersonate"];
/** Kubernetes' own roles, whose rights grow with every kind that is installed. */
const toAll: readonly string[] = ["cluster-admin", "admin", "edit"];
/** Groups that everybody is in, or that may do everything. */
const everybody = /^system:(masters|authenticated|unauthenticated|serviceaccounts(:.*)?)$/;

export const rbacWildcards: ResourceRule = {
  kind: "resource",
  id: "rbac-wildcards",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A wildcard also means what is installed next year: a job's account reads every secret of the cluster, or deletes the volumes that it was to back up.",
  fix: "Name the verbs, resources and API groups that are needed, and bind them to one service account.",
  types: [...roles, `${api}:RoleBinding`, `${api}:ClusterRoleBinding`],
  breaks: {
    "rules[*].verbs": ["*"], "rules[*].resources": ["*"], "rules[*].apiGroups": ["*"], "rules[*].nonResourceURLs": ["*"],
    aggregationRule: { clusterRoleSelectors: [{}] }, "roleRef.name": "cluster-admin", "subjects[*].name": "system:authenticated", subjects: unset,
  },
  selects: ["rules"],
  judge(resource, verdict) {
    if (roles.includes(resource.facts.type)) judgeRole(resource, verdict);
    else judgeBinding(resource, verdict);
  },
};

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const withStar = (value: unknown) => ((typeof value === "string" ? [value] : listed(value)).some((one) => typeof one === "string" && one.includes("*")) ? shown(value) : undefined);

function judgeRole(resource: ResourceReader, verdict: Verdict): void {
  verdict.property(resource, "aggregationRule", (value) => (value === undefined ? undefined : `${shown(value)}: its rights are whatever is labelled so`));
  for (const rule of membersOf(resource, "rules", verdict) ?? []) {
    verdict.property(rule, "verbs", (verbs) => (listed(verbs).length > 0 && !listed(verbs).some((verb) => asGoodAsAll.includes(verb)) ? undefined : shown(verbs)));
    for (const field of ["resources", "apiGroups", "nonResourceURLs"]) verdict.property(rule, field, withStar);
  }
}

function judgeBinding(resource: ResourceReader, verdict: Verdict): void {
  verdict.property(resource, "roleRef.name", (name) => (typeof name === "string" && !toAll.includes(name) ? undefined : `${shown(name)}, which may do nearly everything, and reads every secret`));
  const subjects = membersOf(resource, "subjects", verdict);
  if (subjects?.length === 0) verdict.violation(resource, "subjects", "names nobody");
  for (const subject of subjects ?? []) verdict.property(subject, "name", (name) => (typeof name === "string" && !everybody.test(name) ? undefined : `${shown(name)}, which is not one account`));
}

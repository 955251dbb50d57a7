import type { ResourceReader } from "../../core/resource.ts";
import { unset, type StackRule, type Verdict } from "../../core/rule.ts";
import { readPath, shown, unknown } from "../../core/value.ts";
import { everyPod, inPods, membersOf, podPathIn, podTypes } from "./pod-spec.ts";
import { all, any, equal, namespaceOf, sameStack, valueAt, type Match } from "./selector.ts";

const account = "kubernetes:core/v1:ServiceAccount";
const secret = "kubernetes:core/v1:Secret";
const tokenType = "kubernetes.io/service-account-token";
const bindings: readonly string[] = ["RoleBinding", "ClusterRoleBinding"].map((kind) => `kubernetes:rbac.authorization.k8s.io/v1:${kind}`);
const mounted = "automountServiceAccountToken";
/** Under which the API server takes a token; a token without an audience has its. */
const apiServer = /^https:\/\/kubernetes\.default\.svc/;

export const serviceAccountToken: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "service-account-token",
  severity: "medium",
  enforcement: "mandatory",
  protects: "Whoever gets into the pod speaks to Kubernetes with its token; a pod that asks Kubernetes nothing needs none.",
  fix: `Set ${mounted} to false on the service account and on the pod, unless a role is bound to it; give a projected token the audience that it is for.`,
  breaks: { ...inPods({ [`spec.${mounted}`]: true, "spec.volumes[*].projected.sources[*].serviceAccountToken.audience": unset }), [mounted]: true, type: tokenType },
  selects: ["subjects", "metadata.name", "metadata.namespace", ...["serviceAccountName", "volumes", "volumes[*].projected.sources", "volumes[*].projected.sources[*].serviceAccountToken"].flatMap((path) => everyPod(`spec.${path}`))],
  judge(resources, verdict) {
    const bound = resources.filter(({ facts }) => bindings.includes(facts.type));
    const isUsed = (resource: ResourceReader, name: () => unknown): Match => any(bound.filter((binding) => sameStack(binding, resource)).map((binding) => binds(binding, namespaceOf(resource), name())));
    for (const resource of resources) {
      if (resource.facts.type === secret) verdict.property(resource, "type", (type) => (type === tokenType ? `${shown(type)}: a token without an end, that any pod can mount` : undefined));
      if (resource.facts.type === account) judgeMount(resource, mounted, () => isUsed(resource, () => valueAt(resource, "metadata.name")), verdict);
      if (!podTypes.includes(resource.facts.type)) continue;
      judgeMount(resource, podPathIn(resource, `spec.${mounted}`), () => isUsed(resource, () => valueAt(resource, podPathIn(resource, "spec.serviceAccountName"))), verdict);
      judgeProjected(resource, verdict);
    }
  },
};

/** Unset mounts it: Kubernetes' default is true. */
function judgeMount(resource: ResourceReader, path: string, used: () => Match, verdict: Verdict): void {
  const reading = resource.read(path);
  if (reading.state === "known" && reading.value === false) return;
  const use = used();
  if (use === "yes") return;
  if (use === "unknown" || reading.state === "unknown") verdict.unjudged(resource, path);
  else verdict.violation(resource, path, `${shown(reading.state === "known" ? reading.value : undefined)}, and no role is bound to the account`);
}

function judgeProjected(resource: ResourceReader, verdict: Verdict): void {
  for (const volume of membersOf(resource, podPathIn(resource, "spec.volumes"), verdict) ?? []) {
    for (const source of membersOf(volume, "projected.sources", verdict) ?? []) {
      if (source.read("serviceAccountToken").state === "unset") continue;
      verdict.property(source, "serviceAccountToken.audience", (audience) => (typeof audience === "string" && audience !== "" && !apiServer.test(audience) ? undefined : `${shown(audience)}: it is a token for Kubernetes itself`));
    }
  }
}

function binds(binding: ResourceReader, namespace: unknown, name: unknown): Match {
  const subjects = valueAt(binding, "subjects");
  if (subjects === unknown) return "unknown";
  if (!Array.isArray(subjects)) return "no";
  const part = (subject: unknown, field: string): unknown => {
    const reading = readPath(subject, [field]);
    if (reading.state === "unknown") return unknown;
    return reading.state === "known" ? reading.value : undefined;
  };
  return any(subjects.map((subject: unknown) => all([equal(part(subject, "kind"), "ServiceAccount"), equal(part(subject, "name"), name), equal(part(subject, "namespace") ?? namespaceOf(binding), namespace)])));
}

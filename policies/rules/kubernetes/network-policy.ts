import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { unknown } from "../../core/value.ts";
import { everyPod, podPathIn, podTypes } from "./pod-spec.ts";
import { all, any, equal, isEverything, matches, namespaceOf, podLabels, sameStack, valueAt, type Match } from "./selector.ts";

const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const nobody = { matchLabels: { "app.kubernetes.io/name": "nobody" } };

export const networkPolicy: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "network-policy",
  severity: "high",
  enforcement: "mandatory",
  protects: "A pod that no policy selects reaches everything and is reached by everything: one stolen pod is enough to empty every store and to carry it out.",
  fix: "Declare a NetworkPolicy for the workload by its labels in its own namespace, with an egress allow-list, beside one that refuses everything to the rest of the namespace.",
  breaks: {
    ...Object.fromEntries(everyPod("metadata.labels").map((path) => [path, {}])),
    "metadata.namespace": "elsewhere",
    "spec.podSelector": nobody,
    "spec.policyTypes": ["Ingress"],
    "spec.ingress": [{}],
    "spec.egress": [{}],
  },
  judge(resources, verdict) {
    const workloads = resources.filter(({ facts }) => podTypes.includes(facts.type));
    const policies = resources.filter(({ facts }) => facts.type === type).map(policyOf);
    for (const workload of workloads) judgeWorkload(workload, policies.filter(({ policy }) => sameStack(policy, workload)), verdict);
  },
};

interface Policy {
  readonly policy: ResourceReader;
  readonly namespace: unknown;
  readonly selector: unknown;
  /** Whether it is about every pod of its namespace. */
  readonly general: Match;
  readonly limits: (direction: "Ingress" | "Egress") => Match;
  /** Lets nothing in or out. */
  readonly refuses: Match;
}

function policyOf(policy: ResourceReader): Policy {
  const selector = valueAt(policy, "spec.podSelector");
  const types = valueAt(policy, "spec.policyTypes");
  const general = isEverything(selector);
  const limits = (direction: string): Match => (types === unknown ? "unknown" : Array.isArray(types) && types.includes(direction) ? "yes" : "no");
  const refuses = general === "no" ? "no" : all([limits("Ingress"), limits("Egress"), none(valueAt(policy, "spec.ingress")), none(valueAt(policy, "spec.egress"))]);
  return { policy, namespace: namespaceOf(policy), selector, general, limits, refuses };
}

const none = (entries: unknown): Match => (entries === unknown ? "unknown" : entries === undefined || (Array.isArray(entries) && entries.length === 0) ? "yes" : "no");
const not = (match: Match): Match => (match === "unknown" ? match : match === "yes" ? "no" : "yes");

function judgeWorkload(workload: ResourceReader, policies: readonly Policy[], verdict: Verdict): void {
  const namespace = namespaceOf(workload);
  const labels = podLabels(workload);
  const inNamespace = (policy: Policy) => equal(policy.namespace, namespace);
  const labelsPath = podPathIn(workload, "metadata.labels");
  say(workload, labelsPath, any(policies.map((policy) => all([inNamespace(policy), not(policy.general), matches(policy.selector, labels), policy.limits("Egress")]))), "is selected by no policy of its namespace that says where it may go", verdict);
  say(workload, "metadata.namespace", any(policies.map((policy) => all([inNamespace(policy), policy.general, policy.refuses]))), `${JSON.stringify(namespace === unknown ? "unknown" : namespace)} has no policy that refuses everything to every pod`, verdict);
}

function say(workload: ResourceReader, path: string, found: Match, wrong: string, verdict: Verdict): void {
  if (found === "unknown") verdict.unjudged(workload, path);
  if (found === "no") verdict.violation(workload, path, wrong);
}

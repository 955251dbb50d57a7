import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { egressAllowList } from "../../../../policies/rules/kubernetes/egress-allow-list.ts";
import { networkPolicy } from "../../../../policies/rules/kubernetes/network-policy.ts";
import { resource } from "../../../harness/policies.ts";
import { labels, pod, statefulSet } from "./pods.ts";

const settings = { plan: blackroad, production: true };
const ports = [{ port: 443, protocol: "TCP" }];
const publicOnly = { ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"] } };
const neighbour = { podSelector: { matchLabels: labels } };

type Props = Readonly<Record<string, unknown>>;
const policy = (spec: Props = {}, metadata: unknown = { namespace: "blackroad-dr" }, more: Partial<ResourceFacts> = {}) =>
  resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", { metadata, spec: { podSelector: { matchLabels: labels }, policyTypes: ["Ingress", "Egress"], egress: [{ to: [neighbour, publicOnly], ports }], ...spec } }, { name: "allowed", ...more });
const denial = (spec: Props = {}, metadata?: unknown) => policy({ podSelector: {}, egress: undefined, ...spec }, metadata, { name: "default-deny" });

describe("egress-allow-list", () => {
  const judge = (facts: ResourceFacts) => judgeResource(egressAllowList, facts, settings);
  const egress = (...entries: readonly unknown[]) => policy({ egress: entries });

  it("lets a list of peers with ports pass, and nobody at all", () => {
    expect(judge(policy())).toEqual([]);
    expect(judge(denial())).toEqual([]);
    expect(judge(egress({ to: [{ ipBlock: { cidr: "104.16.0.0/13" } }, { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }], ports: [{ port: 443, endPort: 443 }] }))).toEqual([]);
    expect(judge(egress({ to: [{ ipBlock: { cidr: "10.2.0.0/16" } }, { namespaceSelector: {}, podSelector: { matchLabels: labels } }], ports: [{ port: "postgres" }] }))).toEqual([]);
  });

  it.each<readonly [string, ResourceFacts, string]>([
    ["ingress alone", policy({ policyTypes: ["Ingress"] }), "spec.policyTypes"],
    ["no word about the direction", policy({ policyTypes: undefined }), "spec.policyTypes"],
    ["no peer", egress({ ports }), "spec.egress[0].to"],
    ["no port", egress({ to: [neighbour] }), "spec.egress[0].ports"],
    ["every port of a protocol", egress({ to: [neighbour], ports: [{ protocol: "TCP" }] }), "spec.egress[0].ports[0].port"],
    ["every pod of the namespace", egress({ to: [{ podSelector: {} }], ports }), "spec.egress[0].to[0]"],
    ["every namespace", egress({ to: [{ namespaceSelector: {} }], ports }), "spec.egress[0].to[0]"],
    ["every address", egress({ to: [neighbour, { ipBlock: { cidr: "0.0.0.0/0" } }], ports }), "spec.egress[0].to[1]"],
    ["every address but a few", egress({ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], ports }), "spec.egress[0].to[0]"],
    ["half of all addresses", egress({ to: [{ ipBlock: { cidr: "0.0.0.0/1" } }], ports }), "spec.egress[0].to[0]"],
    ["every address of IPv6", egress({ to: [{ ipBlock: { cidr: "::/0" } }], ports }), "spec.egress[0].to[0]"],
    ["every port from the first to the last", egress({ to: [neighbour], ports: [{ port: 1, endPort: 65_535 }] }), "spec.egress[0].ports[0].endPort"],
    ["a range of ports by a name", egress({ to: [neighbour], ports: [{ port: "1-65535" }] }), "spec.egress[0].ports[0].port"],
    ["every namespace that has a name", egress({ to: [{ namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "Exists" }] } }], ports }), "spec.egress[0].to[0]"],
    ["every namespace but one", egress({ to: [{ namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] }] } }], ports }), "spec.egress[0].to[0]"],
    ["the node's credentials", egress({ to: [{ ipBlock: { cidr: "169.254.169.254/32" } }], ports }), "spec.egress[0].to[0]"],
    ["the node's credentials among others", egress({ to: [{ ipBlock: { cidr: "169.0.0.0/8" } }], ports }), "spec.egress[0].to[0]"],
    ["the node's credentials by IPv6", egress({ to: [{ ipBlock: { cidr: "fd00:ec2::254/128" } }], ports }), "spec.egress[0].to[0]"],
    ["every network of ours", egress({ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports }), "spec.egress[0].to[0]"],
    ["a block without an address", egress({ to: [{ ipBlock: {} }], ports }), "spec.egress[0].to[0]"],
  ])("catches %s", (_, facts, path) => {
    expect(judge(facts)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(egressAllowList.fix) as unknown }]);
  });

  it.each<readonly [string, ResourceFacts, string]>([
    ["the list", policy({ egress: unknown }), "spec.egress"],
    ["the peers", egress({ to: unknown, ports }), "spec.egress[0].to"],
    ["one peer", egress({ to: [unknown], ports }), "spec.egress[0].to[0]"],
    ["a peer's addresses", egress({ to: [{ ipBlock: { cidr: unknown } }], ports }), "spec.egress[0].to[0]"],
    ["the ports", egress({ to: [neighbour], ports: unknown }), "spec.egress[0].ports"],
    ["the directions", policy({ policyTypes: unknown }), "spec.policyTypes"],
  ])("says that it could not judge %s before `up`", (_, facts, path) => {
    expect(judge(facts)).toMatchObject([{ kind: "unjudged", path }]);
  });
});

describe("network-policy", () => {
  const judge = (...resources: readonly ResourceFacts[]) => judgeStack(networkPolicy, resources, settings);
  const labelsPath = "spec.template.metadata.labels";
  const anywhere = { name: "pg", namespace: unknown };

  it("lets a workload pass that a policy selects, beside one that refuses everything else", () => {
    expect(judge(statefulSet(), policy(), denial())).toEqual([]);
  });

  it.each<readonly [string, readonly ResourceFacts[], string]>([
    ["a workload without a policy", [denial()], labelsPath],
    ["a policy about others", [policy({ podSelector: { matchLabels: { app: "other" } } }), denial()], labelsPath],
    ["a policy without a selector", [policy({ podSelector: undefined }), denial()], labelsPath],
    ["a policy of another namespace", [policy({}, { namespace: "elsewhere" }), denial()], labelsPath],
    ["a policy of the namespace `default`", [policy({}, {}), denial()], labelsPath],
    ["a policy of another stack", [policy({}, undefined, { stack: "secondary" }), denial()], labelsPath],
    ["a policy for what comes in alone", [policy({ policyTypes: ["Ingress"] }), denial()], labelsPath],
    ["no refusal", [policy()], "metadata.namespace"],
    ["a refusal of one direction", [policy(), denial({ policyTypes: ["Ingress"] })], "metadata.namespace"],
    ["a refusal that lets out", [policy(), denial({ egress: [{}] })], "metadata.namespace"],
    ["a refusal that lets in", [policy(), denial({ ingress: [{}] })], "metadata.namespace"],
  ])("catches %s", (_, others, path) => {
    expect(judge(statefulSet(), ...others)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(networkPolicy.fix) as unknown }]);
  });

  it("takes pods without labels, or without a namespace, for selected by nobody", () => {
    expect(judge(statefulSet(pod(), { template: { spec: pod() } }), policy(), denial())).toMatchObject([{ kind: "violation", path: labelsPath }]);
    expect(judge(statefulSet(pod(), {}, { props: { spec: { template: { metadata: { labels }, spec: pod() } } } }), policy(), denial())).toMatchObject([{ kind: "violation", path: labelsPath }, { kind: "violation", path: "metadata.namespace" }]);
  });

  it.each<readonly [string, readonly ResourceFacts[]]>([
    ["the policies' namespaces are not known", [statefulSet(), policy({}, anywhere), denial({}, anywhere)]],
    ["the policies are not known", [statefulSet(), policy({ podSelector: unknown }), denial({ podSelector: unknown })]],
    ["the workload is not known", [statefulSet(pod(), {}, { props: { metadata: unknown, spec: unknown } }), policy(), denial()]],
  ])("says what it could not judge before `up` where %s", (_, resources) => {
    const findings = judge(...resources);
    expect(findings.map(({ kind, path }) => `${kind} ${path}`)).toEqual([`unjudged ${labelsPath}`, "unjudged metadata.namespace"]);
  });
});

import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { databaseApart } from "../../../../policies/rules/kubernetes/database-apart.ts";
import { databaseBudget } from "../../../../policies/rules/kubernetes/database-budget.ts";
import { resource } from "../../../harness/policies.ts";
import { labels, pod, statefulSet } from "./pods.ts";

const settings = { plan: blackroad, production: true };
const labelsPath = "spec.template.metadata.labels";
const affinityPath = "spec.template.spec.affinity";
const term = { labelSelector: { matchLabels: labels }, topologyKey: "kubernetes.io/hostname" };
const required = (...terms: readonly unknown[]) => pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } });
const preferred = pod({ affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] } } });

type Props = Readonly<Record<string, unknown>>;
const proxy = (spec: unknown, parent = "urn:pulumi:primary::blackroad-dr::blackroad:databases:PostgresCluster::postgres") =>
  resource("kubernetes:apps/v1:Deployment", { metadata: { namespace: "blackroad-dr" }, spec: { replicas: 2, template: { metadata: { labels }, spec } } }, { name: "proxy", parent });

describe("database-apart", () => {
  const judge = (facts: ResourceFacts, production = true) => judgeResource(databaseApart, facts, { ...settings, production });

  it("lets servers pass that no node has two of, and one alone", () => {
    expect(judge(statefulSet(required(term)))).toEqual([]);
    expect(judge(statefulSet(required({ ...term, topologyKey: "topology.kubernetes.io/zone" })))).toEqual([]);
    expect(judge(statefulSet(pod(), { replicas: 1 }))).toEqual([]);
    expect(judge(statefulSet(pod(), { replicas: undefined }))).toEqual([]);
  });

  it("lets what holds no data only prefer it, and asks nothing of other deployments or of a drill", () => {
    expect(judge(proxy(preferred))).toEqual([]);
    expect(judge(proxy(pod(), "urn:pulumi:primary::blackroad-dr::blackroad:monitoring:BackupExporter::exporter"))).toEqual([]);
    expect(judge(statefulSet(pod()), false)).toEqual([]);
  });

  it.each<readonly [string, ResourceFacts]>([
    ["servers of which nothing is said", statefulSet(pod())],
    ["servers that only prefer it", statefulSet(preferred)],
    ["servers that are kept from others", statefulSet(required({ ...term, labelSelector: { matchLabels: { app: "other" } } }))],
    ["servers over something that is no place", statefulSet(required({ ...term, topologyKey: "kubernetes.io/os" }))],
    ["a database's proxy of which nothing is said", proxy(pod())],
  ])("catches %s", (_, facts) => {
    expect(judge(facts)).toMatchObject([{ kind: "violation", path: affinityPath, message: expect.stringContaining(databaseApart.fix) as unknown }]);
  });

  it.each<readonly [string, ResourceFacts, string]>([
    ["the affinity", statefulSet(pod({ affinity: unknown })), affinityPath],
    ["a term", statefulSet(required(unknown)), affinityPath],
    ["the labels", statefulSet(required(term), { template: { metadata: { labels: unknown }, spec: required(term) } }), labelsPath],
    ["how many there are", statefulSet(required(term), { replicas: unknown }), "spec.replicas"],
  ])("says that it could not judge %s before `up`", (_, facts, path) => {
    expect(judge(facts)).toMatchObject([{ kind: "unjudged", path }]);
  });
});

describe("database-budget", () => {
  const judge = (...resources: readonly ResourceFacts[]) => judgeStack(databaseBudget, resources, settings);
  const budget = (spec: Props = {}, metadata: unknown = { namespace: "blackroad-dr" }) => resource("kubernetes:policy/v1:PodDisruptionBudget", { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: labels }, ...spec } }, { name: "budget" });

  it("lets servers pass of which one may go at a time, counted either way", () => {
    expect(judge(statefulSet(), budget())).toEqual([]);
    expect(judge(statefulSet(), budget({ maxUnavailable: undefined, minAvailable: 1 }))).toEqual([]);
    expect(judge(proxy(pod()), budget())).toEqual([]);
    expect(judge(proxy(pod(), "urn:pulumi:primary::blackroad-dr::blackroad:monitoring:BackupExporter::exporter"))).toEqual([]);
  });

  it.each<readonly [string, readonly ResourceFacts[], string]>([
    ["servers without a budget", [], labelsPath],
    ["a budget of others", [budget({ selector: { matchLabels: { app: "other" } } })], labelsPath],
    ["a budget without a selector", [budget({ selector: undefined })], labelsPath],
    ["a budget of another namespace", [budget({}, { namespace: "elsewhere" })], labelsPath],
    ["two at a time", [budget({ maxUnavailable: 2 })], "spec.maxUnavailable"],
    ["a part of them at a time", [budget({ maxUnavailable: "50%" })], "spec.maxUnavailable"],
    ["too few that stay", [budget({ maxUnavailable: undefined, minAvailable: 0 })], "spec.minAvailable"],
    ["a budget of which nothing is said", [budget({ maxUnavailable: undefined })], "spec.minAvailable"],
  ])("catches %s", (_, budgets, path) => {
    expect(judge(statefulSet(), ...budgets)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(databaseBudget.fix) as unknown }]);
  });

  it.each<readonly [string, readonly ResourceFacts[], string]>([
    ["whom a budget is about", [statefulSet(), budget({ selector: unknown })], labelsPath],
    ["where a budget is", [statefulSet(), budget({}, unknown)], labelsPath],
    ["what the servers are called", [statefulSet(pod(), { template: unknown }), budget()], labelsPath],
    ["how many may go", [statefulSet(), budget({ maxUnavailable: unknown })], "spec.maxUnavailable"],
  ])("says that it could not judge %s before `up`", (_, resources, path) => {
    expect(judge(...resources)).toMatchObject([{ kind: "unjudged", path }]);
  });
});

import type { ResourceFacts } from "./resource.ts";
import { readPath, unknown } from "./value.ts";

const namespaceType = "kubernetes:core/v1:Namespace";

/**
 * The same resources, each with its namespace where that is known. Before the first `up` of a new cluster the name of a
 * namespace that is declared beside a workload is not known to the workload: what it comes from is, and that has been
 * given its name. Without it no rule could tell which policies, budgets and accounts are of the same namespace.
 */
export function withNamespaces(resources: readonly ResourceFacts[]): readonly ResourceFacts[] {
  const names = new Map(resources.filter(({ type }) => type === namespaceType).map(({ urn, props }) => [urn, readPath(props, ["metadata", "name"])] as const));
  if (names.size === 0) return resources;
  return resources.map((facts) => {
    const { metadata } = facts.props;
    if (typeof metadata !== "object" || metadata === null || Reflect.get(metadata, "namespace") !== unknown) return facts;
    const from = (facts.propertyDependencies["metadata"] ?? []).map((urn) => names.get(urn)).filter((name) => name !== undefined);
    const [only, ...others] = from;
    return only?.state === "known" && others.length === 0 ? { ...facts, props: { ...facts.props, metadata: { ...metadata, namespace: only.value } } } : facts;
  });
}

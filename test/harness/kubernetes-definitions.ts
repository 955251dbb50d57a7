import type { KubernetesObject } from "./kubernetes.ts";

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope?: "Cluster";
}

/** On what a test made, so that the next one can take away what a killed one left. */
export const madeByTest = { "blackroad-dr/made-by": "test" } as const;

/** What the README asks a cluster to have of cert-manager and the Prometheus operator. */
const kinds: readonly Kind[] = [
  { group: "cert-manager.io", version: "v1", kind: "Certificate", plural: "certificates" },
  { group: "cert-manager.io", version: "v1", kind: "Issuer", plural: "issuers" },
  { group: "cert-manager.io", version: "v1", kind: "ClusterIssuer", plural: "clusterissuers", scope: "Cluster" },
  { group: "monitoring.coreos.com", version: "v1", kind: "PrometheusRule", plural: "prometheusrules" },
  { group: "monitoring.coreos.com", version: "v1", kind: "ServiceMonitor", plural: "servicemonitors" },
  { group: "monitoring.coreos.com", version: "v1", kind: "PodMonitor", plural: "podmonitors" },
  { group: "monitoring.coreos.com", version: "v1", kind: "Probe", plural: "probes" },
  { group: "monitoring.coreos.com", version: "v1alpha1", kind: "AlertmanagerConfig", plural: "alertmanagerconfigs" },
];

/** Definitions of their kinds that take any content: what is in them is for the operators' own schemas to judge. */
export const customDefinitions: readonly KubernetesObject[] = kinds.map(({ group, version, kind, plural, scope = "Namespaced" }) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}`, labels: madeByTest },
  spec: {
    group,
    scope,
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, status: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } } } }],
  },
}));

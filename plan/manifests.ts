/** Which of a cluster's objects are kept: what somebody declared. What controllers make of it (pods, endpoints, leases,
 * events) comes back by itself. Secrets' values are not here: their originals are in Secrets Manager and in escrow. */

export interface ManifestKinds {
  /** Empty: Kubernetes' own first group. */
  readonly group: string;
  readonly resources: readonly string[];
}

/** A group that a cluster does not have is left out. */
export const manifestKinds: readonly ManifestKinds[] = [
  { group: "", resources: ["configmaps", "limitranges", "namespaces", "persistentvolumeclaims", "persistentvolumes", "resourcequotas", "serviceaccounts", "services"] },
  { group: "admissionregistration.k8s.io", resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] },
  { group: "apiextensions.k8s.io", resources: ["customresourcedefinitions"] },
  { group: "apps", resources: ["daemonsets", "deployments", "statefulsets"] },
  { group: "autoscaling", resources: ["horizontalpodautoscalers"] },
  { group: "batch", resources: ["cronjobs", "jobs"] },
  { group: "cert-manager.io", resources: ["certificates", "clusterissuers", "issuers"] },
  { group: "monitoring.coreos.com", resources: ["alertmanagerconfigs", "alertmanagers", "podmonitors", "prometheuses", "prometheusrules", "servicemonitors"] },
  { group: "networking.k8s.io", resources: ["ingressclasses", "ingresses", "networkpolicies"] },
  { group: "policy", resources: ["poddisruptionbudgets"] },
  { group: "rbac.authorization.k8s.io", resources: ["clusterrolebindings", "clusterroles", "rolebindings", "roles"] },
  { group: "scheduling.k8s.io", resources: ["priorityclasses"] },
  { group: "storage.k8s.io", resources: ["storageclasses"] },
];

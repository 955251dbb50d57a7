import { createHash } from "node:crypto";
import type { Behaviour, Place, Wanted } from "./behaviour.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { hash } from "./rules.ts";
import { isObject, text, type Properties, type Wire } from "./wire.ts";

const clusterScoped = new Set(["APIService", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "CSIDriver", "CustomResourceDefinition", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"]);
/** API groups that every cluster has; another one's kinds need their definitions. */
const builtIn = new Set(["core", "apps", "batch", "policy", "autoscaling", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "apiextensions.k8s.io", "admissionregistration.k8s.io", "node.k8s.io"]);
/** Definitions that the README asks a cluster to have. */
export const expectedGroups = new Set(["cert-manager.io", "monitoring.coreos.com"]);
/** Namespaces of a cluster that nobody has touched, and of what the README asks for. */
const namespaces = new Set(["default", "kube-system", "kube-public", "kube-node-lease", "monitoring", "cert-manager"]);

/** What no update changes; the provider puts another object in its place (pulumi-kubernetes, forceNew.go). */
const fixed: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: ["data", "binaryData"],
  Secret: ["data", "stringData", "type"],
  Deployment: ["spec.selector"],
  StatefulSet: ["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"],
  DaemonSet: ["spec.selector"],
  Job: ["spec.selector", "spec.template", "spec.completions"],
  Service: ["spec.clusterIP", "spec.type"],
  RoleBinding: ["roleRef"],
  ClusterRoleBinding: ["roleRef"],
  PersistentVolumeClaim: ["spec.storageClassName", "spec.accessModes", "spec.selector"],
  StorageClass: ["parameters", "provisioner"],
};

const groupOf = (type: string): string => type.split(":")[1]?.split("/")[0] ?? "";
const kindOf = (type: string): string => type.split(":")[2] ?? "";

const metadata = (inputs: Properties): Properties => (isObject(inputs["metadata"]) ? inputs["metadata"] : {});
const nameOf = (inputs: Properties): string => text(metadata(inputs), "name") ?? "";
const namespaceOf = (type: string, inputs: Properties, place: Place): string | undefined => (clusterScoped.has(kindOf(type)) ? undefined : (text(metadata(inputs), "namespace") ?? text(place.config, "namespace") ?? "default"));
const objectId = (type: string, inputs: Properties, place: Place): string => [namespaceOf(type, inputs, place), nameOf(inputs)].filter((part) => part !== undefined).join("/");

/** Which cluster a provider speaks to: its kubeconfig and context. */
const clusterOf = (place: Place): string => text(place.config, "context") ?? hash(text(place.config, "kubeconfig") ?? "ambient", 12);

const namespaceThere = (cloud: Cloud, cluster: string, name: string): boolean => namespaces.has(name) || cloud.find({ provider: "kubernetes", type: "kubernetes:core/v1:Namespace", location: cluster, id: name }) !== undefined;
const definitionThere = (cloud: Cloud, cluster: string, group: string): boolean =>
  expectedGroups.has(group) || cloud.all("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition").some((one) => one.location === cluster && isObject(one.inputs["spec"]) && one.inputs["spec"]["group"] === group);

function at(inputs: Properties, path: string): Wire {
  return path.split(".").reduce<Wire>((value, key) => (isObject(value) ? value[key] : undefined), inputs);
}

function prevented({ type, inputs }: Wanted, place: Place): string | undefined {
  const cluster = clusterOf(place);
  const namespace = namespaceOf(type, inputs, place);
  if (!builtIn.has(groupOf(type)) && !definitionThere(place.cloud, cluster, groupOf(type))) return `no matches for kind "${kindOf(type)}" in version "${type.split(":")[1] ?? ""}": its definition is not in the cluster`;
  if (namespace !== undefined && !namespaceThere(place.cloud, cluster, namespace)) return `namespaces "${namespace}" not found`;
  return undefined;
}

/** A namespace takes everything in it with it. */
function settled(thing: Thing, event: "there" | "gone", { cloud }: Place): void {
  if (event === "there" || kindOf(thing.type) !== "Namespace") return;
  for (const one of cloud.all()) if (one.provider === "kubernetes" && one.location === thing.location && one.id.startsWith(`${thing.id}/`)) cloud.remove(one);
}

/**
 * The provider as it behaves with server-side apply: what exists is written over, names that are not given are made
 * up, what cannot be changed is deleted first and made anew.
 */
export const kubernetes: Behaviour = {
  provider: "kubernetes",
  refused: ({ type, inputs }) => (isObject(inputs["metadata"]) || kindOf(type).endsWith("List") ? [] : [{ property: "metadata", reason: `${type} has no metadata` }]),
  added({ type, name, inputs }, before, place, seed) {
    const given = metadata(inputs);
    const made = nameOf(before) === "" ? `${name}-${createHash("sha256").update(seed).digest("hex").slice(0, 8)}` : nameOf(before);
    const named = given["name"] === undefined ? { name: made, annotations: { ...(isObject(given["annotations"]) ? given["annotations"] : {}), "pulumi.com/autonamed": "true" } } : {};
    const namespace = namespaceOf(type, inputs, place);
    const [group = "", version] = (type.split(":")[1] ?? "").split("/");
    return { apiVersion: group === "core" ? (version ?? "v1") : `${group}/${version ?? ""}`, kind: kindOf(type), metadata: { ...given, ...named, ...(namespace === undefined ? {} : { namespace: given["namespace"] ?? namespace }) } };
  },
  location: (_wanted, place) => clusterOf(place),
  identity: ({ type, inputs }, place) => ({ id: objectId(type, inputs, place), taken: undefined }),
  outputs({ type, inputs }, id, place) {
    if (id === undefined) return {};
    const uid = hash(`${clusterOf(place)} ${type} ${id}`, 32);
    const common = { metadata: { ...metadata(inputs), uid, resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" } };
    if (kindOf(type) !== "Service") return common;
    const spec = isObject(inputs["spec"]) ? inputs["spec"] : {};
    const address = `10.96.${parseInt(uid.slice(0, 2), 16)}.${parseInt(uid.slice(2, 4), 16)}`;
    return { ...common, spec: { clusterIP: address, clusterIPs: [address], ...spec }, status: { loadBalancer: spec["type"] === "LoadBalancer" ? { ingress: [{ hostname: `${uid.slice(0, 8)}.elb.example` }] } : {} } };
  },
  secrets: (type) => new Set(kindOf(type) === "Secret" ? ["data", "stringData"] : []),
  prevented,
  undeletable: () => undefined,
  survives: () => false,
  settled,
  replaces(type, changed, before, after, place) {
    const paths = (fixed[kindOf(type)] ?? []).filter((path) => changed.includes(path.split(".")[0] ?? "") && JSON.stringify(at(before, path)) !== JSON.stringify(at(after, path)));
    const mutable = place.config[`enable${kindOf(type)}Mutable`];
    const moved = objectId(type, before, place) !== objectId(type, after, place) ? ["metadata"] : [];
    const properties = [...(mutable === "true" || mutable === true ? [] : paths), ...moved];
    return { properties: [...new Set(properties.map((path) => path.split(".")[0] ?? path))], deleteFirst: moved.length === 0 };
  },
  resolved: (_type, id, place) => ({ id, location: clusterOf(place) }),
  call: () => undefined,
};

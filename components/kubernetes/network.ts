import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** Who may be reached, or may reach a pod. */
export type Peer =
  /** Pods of the same namespace. */
  | { readonly kind: "pods"; readonly selector: Readonly<Record<string, string>> }
  /** Pods of a namespace, by the label that Kubernetes gives every namespace. */
  | { readonly kind: "namespace"; readonly namespace: string; readonly selector?: Readonly<Record<string, string>> }
  /** Every pod of the cluster: for what tells no secret and changes nothing. */
  | { readonly kind: "any-namespace" }
  /** Addresses: other regions, or object stores, whose addresses no policy of Kubernetes knows by name. */
  | { readonly kind: "addresses"; readonly cidr: string; readonly except?: readonly string[] };

export interface Allowance {
  readonly to: readonly Peer[];
  readonly ports: readonly number[];
  readonly protocol?: "TCP" | "UDP";
}

export interface AllowListArgs {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Who may come in, and to which ports; nobody where it is empty. */
  readonly ingress: readonly Allowance[];
  /** Where to go; DNS is added, everything else is refused. */
  readonly egress: readonly Allowance[];
}

/** Public addresses alone, so that a job that may reach an object store over the internet reaches no neighbour. */
export const publicAddresses: Peer = { kind: "addresses", cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"] };

const dns: Allowance[] = (["UDP", "TCP"] as const).map((protocol) => ({ to: [{ kind: "namespace", namespace: "kube-system" }], ports: [53], protocol }));

/** A network policy that refuses everything but what is listed. */
export function allowList(name: string, { namespace, selector, labels, ingress, egress }: AllowListArgs, options: pulumi.CustomResourceOptions): k8s.networking.v1.NetworkPolicy {
  return new k8s.networking.v1.NetworkPolicy(
    name,
    {
      metadata: { name, namespace, labels },
      spec: {
        podSelector: { matchLabels: selector },
        policyTypes: ["Ingress", "Egress"],
        ingress: ingress.map(({ to, ...rest }) => ({ from: to.map(peer), ports: ports(rest) })),
        egress: [...dns, ...egress].map(({ to, ...rest }) => ({ to: to.map(peer), ports: ports(rest) })),
      },
    },
    options,
  );
}

const ports = ({ ports: numbers, protocol = "TCP" }: Omit<Allowance, "to">) => numbers.map((port) => ({ port, protocol }));

function peer(one: Peer): k8s.types.input.networking.v1.NetworkPolicyPeer {
  switch (one.kind) {
    case "pods":
      return { podSelector: { matchLabels: one.selector } };
    case "namespace":
      return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": one.namespace } }, ...(one.selector === undefined ? {} : { podSelector: { matchLabels: one.selector } }) };
    case "any-namespace":
      return { namespaceSelector: {} };
    case "addresses":
      return { ipBlock: { cidr: one.cidr, ...(one.except === undefined ? {} : { except: [...one.except] }) } };
  }
}

import * as k8s from "@pulumi/kubernetes";
import { hostIn, type RegionPlace } from "../../topology.ts";
import { child, type ServerSet } from "./context.ts";

export type Ports = Readonly<Record<string, number>>;
const portsOf = (ports: Ports) => Object.entries(ports).map(([name, port]) => ({ name, port, targetPort: port, protocol: "TCP" }));

/**
 * A service a server, so that each has an address that stays: `pg-0.DOMAIN` in every region. Also before it is ready, as
 * servers must find each other to become so.
 */
export function serverServices(set: ServerSet, ports: Ports): readonly k8s.core.v1.Service[] {
  return set.names.map(
    (name) =>
      new k8s.core.v1.Service(
        `${set.prefix}-${name}`,
        {
          metadata: { name, namespace: set.place.namespace, labels: set.labels, annotations: { ...exposed(set, name), ...skipAwait } },
          spec: {
            type: set.topology.exposure.kind === "load-balancer" ? "LoadBalancer" : "ClusterIP",
            selector: { ...set.selector, "statefulset.kubernetes.io/pod-name": name },
            publishNotReadyAddresses: true,
            ports: portsOf(ports),
          },
        },
        child(set),
      ),
  );
}

/** A name for each pod by itself, which a StatefulSet asks for. */
export function headlessService(set: ServerSet, ports: Ports): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    `${set.prefix}-nodes`,
    { metadata: { name: headlessName(set), namespace: set.place.namespace, labels: set.labels, annotations: skipAwait }, spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: set.selector, ports: portsOf(ports) } },
    child(set),
  );
}
export const headlessName = ({ base }: ServerSet): string => `${base}-nodes`;

/** Whichever server of this region is ready, for clients in its cluster. */
export function clientService(set: ServerSet, ports: Ports): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    `${set.prefix}-clients`,
    { metadata: { name: set.base, namespace: set.place.namespace, labels: set.labels, annotations: skipAwait }, spec: { type: "ClusterIP", selector: set.selector, ports: portsOf(ports) } },
    child(set),
  );
}
export const clientHost = (base: string, place: RegionPlace): string => `${base}.${place.namespace}.svc.cluster.local`;

/** Whether servers come up depends on other regions and on recoveries: `up` declares them and does not wait. */
export const skipAwait = { "pulumi.com/skipAwait": "true" } as const;

/**
 * In the words of AWS's load balancer controller. Without them EKS's own controller makes one that the whole internet
 * reaches; of the type `external`, so that where the other is missing nothing is made at all. `ip`: packets go to the pod,
 * and come from addresses of the network, which the policies know.
 */
const internal = { "aws-load-balancer-type": "external", "aws-load-balancer-scheme": "internal", "aws-load-balancer-nlb-target-type": "ip" } as const;
const onAws = Object.fromEntries(Object.entries(internal).map(([name, value]) => [`service.beta.kubernetes.io/${name}`, value]));

function exposed({ place, topology }: ServerSet, name: string): Record<string, string> {
  if (topology.exposure.kind === "cluster") return {};
  return { "external-dns.alpha.kubernetes.io/hostname": hostIn(place, name), ...onAws, ...topology.exposure.annotations };
}

import type { Standing } from "../../../plan/servers.ts";
import type { Allowance, Peer } from "../../kubernetes/network.ts";
import type { RegionPlace, Topology } from "../../topology.ts";
import type { StoreRole } from "./problems.ts";

export const standingOf = ({ kind }: StoreRole): Standing => (kind === "restored" ? "restored" : "production");

/**
 * Where a store's servers of a region are. What is restored is reached inside its own cluster alone.
 * @throws RangeError where the topology does not name the region: `storeProblems` says so first
 */
export function placeHere(topology: Topology, region: string, role: StoreRole): RegionPlace {
  const place = topology.places.find((one) => one.region === region);
  if (place === undefined) throw new RangeError(`the topology has no place for ${region}`);
  if (role.kind !== "restored") return place;
  return insideCluster({ ...place, namespace: role.namespace ?? place.namespace });
}
export const topologyFor = (topology: Topology, role: StoreRole): Topology => (role.kind === "restored" ? unexposed(topology) : topology);

/**
 * A place whose servers are reached inside its own cluster alone: as those of a store whose quorum does not leave the
 * region. By an address of a load balancer they would not even reach each other, as its packets are no pod's to a policy.
 */
export const insideCluster = (place: RegionPlace): RegionPlace => ({ ...place, domain: `${place.namespace}.svc.cluster.local` });
export const unexposed = (topology: Topology): Topology => ({ ...topology, exposure: { kind: "cluster" } });

export const privateNetworks: readonly string[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** The same store's pods in the other regions, as a network policy can name them. */
export function otherRegions(topology: Topology, place: RegionPlace, { networks = privateNetworks, selector }: { readonly networks?: readonly string[] | undefined; readonly selector?: Readonly<Record<string, string>> }): readonly Peer[] {
  if (topology.exposure.kind === "load-balancer") return networks.map((cidr): Peer => ({ kind: "addresses", cidr }));
  const namespaces = new Set(topology.places.map(({ namespace }) => namespace).filter((namespace) => namespace !== place.namespace));
  return [...namespaces].map((namespace): Peer => ({ kind: "namespace", namespace, ...(selector === undefined ? {} : { selector }) }));
}

/** A rule for peers, and none where there are none: Kubernetes reads an empty list as everybody. */
export const allow = (to: readonly Peer[], ports: readonly number[]): readonly Allowance[] => (to.length === 0 ? [] : [{ to, ports }]);

/** Every pod of the same namespace. */
export const sameNamespace: readonly Peer[] = [{ kind: "pods", selector: {} }];

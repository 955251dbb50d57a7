import type { Plan, Region } from "../plan/types.ts";

/** Where one region's servers are, and how the other regions reach them. */
export interface RegionPlace {
  /** By the plan's name, e.g. `us-east-1`. */
  readonly region: string;
  /** Of the cluster of that region; two regions may share one cluster in a test, in a namespace each. */
  readonly namespace: string;
  /** Behind a server's name, from every region: `pg-0` is at `pg-0.DOMAIN`. Inside one cluster
   * `NAMESPACE.svc.cluster.local`; between clusters a private zone that external-dns keeps, e.g. `us-east-1.dr.example`. */
  readonly domain: string;
}

/** How servers of one region are made reachable from the others. */
export type Exposure =
  /** All regions are one cluster (a test), or the clusters' services are joined by a mesh. */
  | { readonly kind: "cluster" }
  /** An internal load balancer a server, and a name in the private zone by external-dns. `annotations` are added to those
   * that ask AWS's load balancer controller for one; elsewhere they must say that it is internal. */
  | { readonly kind: "load-balancer"; readonly annotations?: Readonly<Record<string, string>> };

/** The system's regions as they stand, from the stack's configuration; the plan says what each is for. */
export interface Topology {
  readonly places: readonly RegionPlace[];
  readonly exposure: Exposure;
}

/** What certificates are signed by: cert-manager's issuer, the same authority in every region. */
export interface IssuerRef {
  readonly name: string;
  readonly kind: "Issuer" | "ClusterIssuer";
}

/** Where a region's server is reached from anywhere. */
export const hostIn = (place: RegionPlace, server: string): string => `${server}.${place.domain}`;

/**
 * The place of the region with a role, and of all regions in the plan's order.
 * @throws RangeError where the topology does not name it: check with `topologyProblems` first
 */
export function placeOf(plan: Plan, topology: Topology, role: Region["role"]): RegionPlace {
  const region = plan.regions.find((one) => one.role === role);
  const place = topology.places.find((one) => one.region === region?.name);
  if (place === undefined) throw new RangeError(`the topology has no place for the ${role} region`);
  return place;
}

/** What is wrong with a topology: a region of the plan that is missing, an unknown one, two at the same place. */
export function topologyProblems(plan: Plan, topology: Topology): readonly string[] {
  const named = topology.places.map(({ region }) => region);
  const repeated = (values: readonly string[]): readonly string[] => [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
  return [
    ...plan.regions.filter(({ name }) => !named.includes(name)).map(({ name }) => `topology: the plan's region ${name} has no place`),
    ...named.filter((name) => !plan.regions.some((region) => region.name === name)).map((name) => `topology: ${name} is no region of the plan`),
    ...repeated(named).map((name) => `topology: ${name} is named twice`),
    ...repeated(topology.places.map(({ domain }) => domain)).map((domain) => `topology: two regions have the domain ${domain}; servers of both would have the same names`),
  ];
}

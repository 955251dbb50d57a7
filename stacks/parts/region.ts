import type * as pulumi from "@pulumi/pulumi";
import { RegionSecrets } from "../../components/access/region-secrets.ts";
import { DrNamespace } from "../../components/foundation/dr-namespace.ts";
import { PrivateZone } from "../../components/foundation/private-zone.ts";
import { RegionCluster } from "../../components/foundation/region-cluster.ts";
import { findNetwork } from "../../components/foundation/find-network.ts";
import { RegionPeering, type RegionNetwork } from "../../components/foundation/region-peering.ts";
import type { ClusterChoice } from "../../components/foundation/cluster-choice.ts";
import { ArgumentError, childrenAfter } from "../../components/component.ts";
import { placeOf, topologyProblems, type IssuerRef, type RegionPlace, type Topology } from "../../components/topology.ts";
import { secretsOf } from "../../plan/secrets.ts";
import type { Plan, Region } from "../../plan/types.ts";
import { gib } from "../../plan/units.ts";
import type { ArchiveConfig, ServingConfig } from "../configuration/schema.ts";
import { requireExpectedIn } from "./expected.ts";
import type { Surroundings } from "../surroundings.ts";
import { present } from "./present.ts";

type RegionConfig = ArchiveConfig | ServingConfig;

/** A region of the plan with its cluster and namespace, and what nearly every component of it is told. */
export interface OpenRegion<C extends RegionConfig = RegionConfig> {
  readonly plan: Plan;
  readonly config: C;
  /** By the plan's name. */
  readonly name: string;
  readonly place: RegionPlace;
  readonly cluster: RegionCluster;
  readonly secrets: RegionSecrets;
  readonly common: { readonly plan: Plan; readonly topology: Topology; readonly region: string; readonly issuer: IssuerRef; readonly networks?: readonly string[] };
  /** Into the region's cluster, after its namespace. Pods wait for their secrets by themselves. */
  readonly options: pulumi.ComponentResourceOptions;
}

/** Opens a region: checks what it is told and what its cluster has, then declares cluster, network, namespace and secrets. */
export async function openRegion<C extends RegionConfig>(plan: Plan, config: C, surroundings: Surroundings, role: Region["role"], secretNames: readonly string[]): Promise<OpenRegion<C>> {
  const topology: Topology = { places: config.topology.places, exposure: present(config.topology.exposure) };
  const problems = topologyProblems(plan, topology);
  if (problems.length > 0) throw new ArgumentError(`the ${role} region`, problems);
  const place = placeOf(plan, topology, role);
  await requireExpectedIn(config, topology.exposure, surroundings);

  const cluster = declareCluster(plan, config, place);
  const { provider } = cluster;
  const namespace = new DrNamespace("namespace", { namespace: place.namespace, lifetime: "kept" }, { provider });
  const after = { transformations: [childrenAfter([namespace])] };
  const secrets = new RegionSecrets("secrets", { plan, region: place.region, secrets: secretNames, namespace: place.namespace, provider }, after);
  return {
    plan,
    config,
    name: place.region,
    place,
    cluster,
    secrets,
    common: { plan, topology, region: place.region, issuer: config.issuer, ...(config.networks.length === 0 ? {} : { networks: config.networks }) },
    options: { provider, ...after },
  };
}

/** The cluster, and its network joined with those of the regions that came up before. */
export function declareCluster(plan: Plan, config: RegionConfig, place: RegionPlace): RegionCluster {
  const cluster = new RegionCluster("cluster", { plan, region: place.region, cluster: clusterChoice(config.cluster), lifetime: "kept" });
  joinNetworks(plan, config, place, cluster);
  return cluster;
}

/** Every secret that a region which serves, or may have to, mounts somewhere. */
export const servingSecrets = (plan: Plan): readonly string[] => secretsOf(plan).map(({ name }) => name);

/** The value of a secret that the region reads, secret. */
export function valueOf(secrets: RegionSecrets, name: string): pulumi.Output<string> {
  const value = secrets.values.get(name);
  if (value === undefined) throw new RangeError(`the region does not read the secret ${name}`);
  return value;
}

/** The configuration counts a node's disk in GiB, as people do. */
export function clusterChoice(choice: RegionConfig["cluster"]): ClusterChoice {
  if (choice.kind === "existing") return present(choice);
  // Without `operators`, which says what to declare and is nothing of the cluster.
  const { kind, version, network, apiAccess, administrators, nodes, secretsKeyAlias } = choice;
  return { kind, version, network, apiAccess, administrators, ...present({ secretsKeyAlias }), nodes: nodes.map(({ diskGib, ...group }) => ({ ...group, disk: gib(diskGib) })) };
}

/** A network of ours is joined with those of the regions that came up before; an existing cluster's is somebody else's. */
function joinNetworks(plan: Plan, config: RegionConfig, place: RegionPlace, { cidr, vpcId, routeTableIds }: RegionCluster): void {
  if (cidr === undefined || vpcId === undefined) return;
  const zone = new PrivateZone("zone", { plan, place, vpcId, lifetime: "kept" });
  if (config.peers.length === 0) return;
  new RegionPeering("peering", { plan, own: { region: place.region, cidr, vpcId, routeTableIds, zoneId: zone.zoneId }, peers: peersOf(plan, config), lifetime: "kept" });
}

/** Networks that came up before, found by their tags: a region's state may be out of reach, and is never asked. */
function peersOf(plan: Plan, { peers, topology }: RegionConfig): readonly RegionNetwork[] {
  return peers.map(({ region, cidr, zones }) => {
    const place = topology.places.find((one) => one.region === region);
    if (place === undefined) throw new ArgumentError("peering", [`peers: ${region} has no place in the topology`]);
    return findNetwork({ plan, place, network: { cidr, zones } });
  });
}

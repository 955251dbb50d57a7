import * as pulumi from "@pulumi/pulumi";
import { rememberedState } from "../components/adopt.ts";
import { ArgumentError } from "../components/component.ts";
import { placeOf, topologyProblems, type Topology } from "../components/topology.ts";
import type { Plan, Region } from "../plan/types.ts";
import type { ArchiveConfig, ServingConfig, StackConfig } from "./configuration/schema.ts";
import { declareCluster } from "./parts/region.ts";
import { present } from "./parts/present.ts";
import type { StackOutputs } from "./program.ts";

type RegionConfig = Extract<StackConfig, ArchiveConfig | ServingConfig>;

const regionOfStack = { archive: "witness", secondary: "secondary", primary: "primary" } as const satisfies Readonly<Record<RegionConfig["role"], Region["role"]>>;

/** What is to be done before the next `up`, which declares the rest. */
const next = [
  "install cert-manager and the issuer of blackroad-dr:issuer, with the same authority in every region",
  "install the Prometheus operator",
  "install external-dns and AWS's load balancer controller, where blackroad-dr:topology exposes servers by load balancers",
  "pulumi config set --path 'blackroad-dr:cluster.operators' installed",
  "pulumi up",
];

/**
 * The first `up` of a region whose cluster is made from nothing: the cluster and its network. Whatever else the stack
 * declares needs operators that only a cluster which is there can be given.
 * @throws ArgumentError where the rest is declared already: what is left out would be deleted
 */
export async function clusterAlone(plan: Plan, config: RegionConfig): Promise<StackOutputs> {
  const state = await rememberedState();
  if (state.has("blackroad:foundation:DrNamespace", "namespace")) {
    throw new ArgumentError(`the stack ${config.role}`, ['cluster.operators: "not-yet" declares the cluster alone, and this stack has its servers in it already, which would be deleted; write "installed"']);
  }
  const topology: Topology = { places: config.topology.places, exposure: present(config.topology.exposure) };
  const problems = topologyProblems(plan, topology);
  if (problems.length > 0) throw new ArgumentError(`the stack ${config.role}`, problems);
  const place = placeOf(plan, topology, regionOfStack[config.role]);
  declareCluster(plan, config, place);
  await pulumi.log.warn(["only the cluster is declared, as blackroad-dr:cluster.operators is not-yet. When it is there:", ...next.map((step, index) => `  ${index + 1}. ${step}`)].join("\n"));
  return { region: place.region, next };
}

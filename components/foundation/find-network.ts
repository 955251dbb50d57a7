import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { clusterName, privateZoneName, routeTableNames } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import type { RegionPlace } from "../topology.ts";
import type { RegionNetwork } from "./region-peering.ts";

export interface FindNetworkArgs {
  readonly plan: Plan;
  readonly place: Pick<RegionPlace, "region" | "domain">;
  /** As its own stack was given it. */
  readonly network: { readonly cidr: string; readonly zones: readonly string[] };
  /** Whether its stack declares a `PrivateZone`. Default: true. */
  readonly hasZone?: boolean;
}

/** Another region's network by the tags that follow from the plan: its stack's state is never asked, it may be out of
 * reach. AWS is, in that region: leave a region that is gone out of `peers`. */
export function findNetwork({ plan, place, network, hasZone = true }: FindNetworkArgs, options?: pulumi.InvokeOutputOptions): RegionNetwork {
  const { region } = place;
  const cluster = clusterName(plan, region);
  const tagged = (name: string) => ({ region, tags: { Name: name } });
  return {
    region,
    cidr: network.cidr,
    vpcId: aws.ec2.getVpcOutput(tagged(cluster), options).id,
    routeTableIds: routeTableNames(cluster, network.zones).map((name) => aws.ec2.getRouteTableOutput(tagged(name), options).routeTableId),
    ...(hasZone ? { zoneId: aws.route53.getZoneOutput({ name: place.domain, privateZone: true, tags: { Name: privateZoneName(plan, region) } }, options).zoneId } : {}),
  };
}

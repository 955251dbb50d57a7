import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";

/** One region's network, as `RegionCluster` gives it or as `findNetwork` finds it by its names. */
export interface RegionNetwork {
  readonly region: string;
  readonly cidr: string;
  readonly vpcId: pulumi.Input<string>;
  readonly routeTableIds: readonly pulumi.Input<string>[];
  /** The private zone of `RegionPlace.domain`; resolved in both networks then. */
  readonly zoneId?: pulumi.Input<string>;
}

export interface RegionPeeringArgs {
  readonly plan: Plan;
  /** This stack's. */
  readonly own: RegionNetwork;
  /** Those of the stacks that come up earlier (archive, secondary, primary): they are there already. A region that is
   * out of reach is left out here, so that it never blocks `up`. */
  readonly peers: readonly RegionNetwork[];
  readonly lifetime: Lifetime;
}

/** Joins the private networks of regions: peering, routes both ways, names resolved both ways. Traffic between
 * regions is about 0.02 USD a GB. */
export class RegionPeering extends Component {
  /** By the peer's region. */
  readonly connections: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: RegionPeeringArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RegionPeering ${name}`, []);
    super("foundation", "RegionPeering", name, args, options);
    this.connections = {};
    this.registerOutputs({ region: args.own.region, peers: args.peers.map(({ region }) => region) });
  }
}

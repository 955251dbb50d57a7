import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import type { RegionPlace } from "../topology.ts";
import { Component, refuse, type Lifetime } from "../component.ts";

export interface PrivateZoneArgs {
  readonly plan: Plan;
  /** Whose `domain` is the zone. */
  readonly place: RegionPlace;
  /** The network that it is resolved in; `RegionPeering` adds the others. */
  readonly vpcId: pulumi.Input<string>;
  readonly lifetime: Lifetime;
}

/** The private zone of the names by which other regions reach this one's servers; external-dns writes them.
 * 0.50 USD a month. */
export class PrivateZone extends Component {
  readonly zoneId: pulumi.Output<string>;

  constructor(name: string, args: PrivateZoneArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PrivateZone ${name}`, []);
    super("foundation", "PrivateZone", name, args, options);
    this.zoneId = new aws.route53.Zone(`${name}-zone`, { name: args.place.domain, vpcs: [{ vpcId: args.vpcId, vpcRegion: args.place.region }] }, { parent: this }).zoneId;
    this.registerOutputs({ region: args.place.region, domain: args.place.domain });
  }
}

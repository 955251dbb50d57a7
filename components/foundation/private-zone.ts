import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { regionOf } from "../../plan/find.ts";
import { privateZoneName } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { RegionPlace } from "../topology.ts";

export interface PrivateZoneArgs {
  readonly plan: Plan;
  /** Whose `domain` is the zone. */
  readonly place: RegionPlace;
  /** The network that it is resolved in; `RegionPeering` adds the others. */
  readonly vpcId: pulumi.Input<string>;
  /** `kept`: protected; without it no region finds another's servers. */
  readonly lifetime: Lifetime;
}

/**
 * The private zone of the names by which other regions reach this one's servers; external-dns writes them.
 * 0.50 USD a month. A zone for each region: Route 53 is written through us-east-1 alone, but answers everywhere, so
 * after the loss of that region the names that are there go on leading to the other regions' servers.
 */
export class PrivateZone extends Component {
  readonly zoneId: pulumi.Output<string>;

  constructor(name: string, args: PrivateZoneArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PrivateZone ${name}`, problems(args));
    super("foundation", "PrivateZone", name, args, options);
    const { plan, place, vpcId, lifetime } = args;
    const zone = new aws.route53.Zone(
      `${name}-zone`,
      {
        name: place.domain,
        comment: `Servers of ${plan.name} in ${place.region}`,
        vpcs: [{ vpcId, vpcRegion: place.region }],
        forceDestroy: lifetime === "ephemeral", // external-dns' records are not in the state
        tags: { Name: privateZoneName(plan, place.region) },
      },
      // The peerings associate the other networks: without this each `up` would take them away again.
      { parent: this, protect: lifetime === "kept", ignoreChanges: ["vpcs"] },
    );
    this.zoneId = zone.zoneId;
    this.registerOutputs({ region: place.region, domain: place.domain, lifetime });
  }
}

/** At least two labels: a zone of a single one would hide a whole top-level domain. */
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const problems = ({ plan, place }: PrivateZoneArgs): readonly (string | false)[] => [
  regionOf(plan, place.region) === undefined && `place: ${place.region} is no region of the plan`,
  !domain.test(place.domain) && `place.domain: ${JSON.stringify(place.domain)} is no domain of at least two labels, in lower case`,
  place.domain.endsWith(".cluster.local") && `place.domain: ${place.domain} is Kubernetes' own inside a cluster; other regions need a zone of their own, e.g. ${place.region}.dr.example`,
];

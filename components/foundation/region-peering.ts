import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { regionOf } from "../../plan/find.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import { overlap, parseCidr } from "./cidr.ts";

/** One region's network, as `RegionCluster` gives it or as `findNetwork` finds it by its names. */
export interface RegionNetwork {
  readonly region: string;
  readonly cidr: string;
  readonly vpcId: pulumi.Input<string>;
  readonly routeTableIds: readonly pulumi.Input<string>[];
  /** The private zone of `RegionPlace.domain`; resolved in both networks then. Default: none. */
  readonly zoneId?: pulumi.Input<string>;
}

export interface RegionPeeringArgs {
  readonly plan: Plan;
  /** This stack's. */
  readonly own: RegionNetwork;
  /** Those of the stacks that come up earlier (archive, secondary, primary): they are there already. A region that is
   * out of reach is left out here, so that it never blocks `up`. */
  readonly peers: readonly RegionNetwork[];
  /** `kept`: the connections are protected; without them the regions no longer see each other, and neither
   * replication nor the databases' quorum goes on. */
  readonly lifetime: Lifetime;
}

/** Joins the private networks of regions: peering, routes both ways, names resolved both ways. Traffic between
 * regions is about 0.02 USD a GB; the connections cost nothing. */
export class RegionPeering extends Component {
  /** Of the connections, by the peer's region. */
  readonly connections: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: RegionPeeringArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RegionPeering ${name}`, problems(args));
    super("foundation", "RegionPeering", name, args, options);
    this.connections = Object.fromEntries(args.peers.map((peer) => [peer.region, this.join(name, args, peer)]));
    this.registerOutputs({ region: args.own.region, peers: args.peers.map(({ region }) => region), lifetime: args.lifetime });
  }

  private join(name: string, args: RegionPeeringArgs, peer: RegionNetwork): pulumi.Output<string> {
    const { own } = args;
    const connection = this.connection(name, args, peer);
    this.resolution(`${name}-dns-${peer.region}`, own.region, "requester", connection);
    this.resolution(`${name}-dns-from-${peer.region}`, peer.region, "accepter", connection);
    this.routes(`${name}-to-${peer.region}`, own, peer, connection);
    this.routes(`${name}-from-${peer.region}`, peer, own, connection);
    this.zone(`${name}-zone-of-${peer.region}`, peer, own);
    this.zone(`${name}-zone-in-${peer.region}`, own, peer);
    return connection;
  }

  /** Between regions a connection is asked for on one side and accepted on the other. */
  private connection(name: string, { plan, own, lifetime }: RegionPeeringArgs, peer: RegionNetwork): pulumi.Output<string> {
    const tags = { Name: `${plan.name}-dr-${own.region}-${peer.region}` };
    const options = { parent: this, protect: lifetime === "kept" };
    const asked = new aws.ec2.VpcPeeringConnection(`${name}-${peer.region}`, { region: own.region, vpcId: own.vpcId, peerVpcId: peer.vpcId, peerRegion: peer.region, tags }, options);
    const accepted = new aws.ec2.VpcPeeringConnectionAccepter(`${name}-${peer.region}-accepter`, { region: peer.region, vpcPeeringConnectionId: asked.id, autoAccept: true, tags }, options);
    return accepted.vpcPeeringConnectionId; // what takes it waits until it is accepted
  }

  /** The other side's public names lead to private addresses; each side allows it for itself. */
  private resolution(name: string, region: string, side: "requester" | "accepter", connection: pulumi.Input<string>): void {
    new aws.ec2.PeeringConnectionOptions(name, { region, vpcPeeringConnectionId: connection, [side]: { allowRemoteVpcDnsResolution: true } }, { parent: this });
  }

  private routes(name: string, from: RegionNetwork, to: RegionNetwork, connection: pulumi.Input<string>): void {
    from.routeTableIds.forEach((routeTableId, index) => {
      new aws.ec2.Route(`${name}-route-${index}`, { region: from.region, routeTableId, destinationCidrBlock: to.cidr, vpcPeeringConnectionId: connection }, { parent: this });
    });
  }

  private zone(name: string, of: RegionNetwork, into: RegionNetwork): void {
    if (of.zoneId === undefined) return;
    new aws.route53.ZoneAssociation(name, { zoneId: of.zoneId, vpcId: into.vpcId, vpcRegion: into.region }, { parent: this });
  }
}

function problems({ plan, own, peers }: RegionPeeringArgs): readonly (string | false)[] {
  const all = [own, ...peers];
  return [
    peers.length === 0 && "peers: there is none; the component that comes up first is not declared",
    ...all.map(({ region }) => regionOf(plan, region) === undefined && `${region} is no region of the plan`),
    ...all.map(({ region, cidr }) => parseCidr(cidr) === undefined && `${region}: ${JSON.stringify(cidr)} is no IPv4 range`),
    ...all.map(({ region, routeTableIds }) => routeTableIds.length === 0 && `${region}: no route table; nothing would find the way to the other side`),
    ...pairs(all).flatMap(([a, b]) => [a.region === b.region && `${a.region} is named twice; a network is not joined with itself`, overlapProblem(a, b)]),
  ];
}

const pairs = <T>(all: readonly T[]): readonly (readonly [T, T])[] => all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const));

function overlapProblem(a: RegionNetwork, b: RegionNetwork): string | false {
  const [one, other] = [parseCidr(a.cidr), parseCidr(b.cidr)];
  return one !== undefined && other !== undefined && overlap(one, other) && `${a.region} (${a.cidr}) and ${b.region} (${b.cidr}) overlap; AWS peers no such networks`;
}

import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { routeTableNames } from "../../../plan/names.ts";
import { guarded, nameTag, type EksScope } from "./scope.ts";
import { rangesOf, type ZoneRanges } from "./subnets.ts";

export interface EksNetwork {
  readonly vpc: aws.ec2.Vpc;
  /** One a zone, in the zones' order, for nodes and pods. */
  readonly privateSubnets: readonly { readonly zone: string; readonly id: pulumi.Output<string> }[];
  /** The public subnets' and then each zone's, as `routeTableNames` names them. */
  readonly routeTables: readonly aws.ec2.RouteTable[];
  /** What a node needs to be there before it can reach anything. */
  readonly ways: readonly pulumi.Resource[];
}

/** A private network over the zones: nodes in private subnets, their way out through NAT, S3 by an endpoint. */
export function network(scope: EksScope): EksNetwork {
  const { eks, cluster } = scope;
  const ranges = rangesOf(eks.network.cidr, eks.network.zones);
  const [publicName = "", ...privateNames] = routeTableNames(cluster, eks.network.zones);
  const vpc = space(scope);
  const publicTable = routeTable(scope, "public", publicName, vpc);
  const out = internet(scope, vpc, publicTable);
  const publicSubnets = ranges.map((range) => subnet(scope, "public", range, vpc, publicTable));
  const gateways = (eks.network.nat === "one" ? publicSubnets.slice(0, 1) : publicSubnets).map((one) => nat(scope, one, out));
  const zones = ranges.map((range, index) => {
    const table = routeTable(scope, `private-${range.zone}`, privateNames[index] ?? "", vpc);
    const made = subnet(scope, "private", range, vpc, table);
    return { zone: range.zone, id: made.subnet.id, table, way: wayOut(scope, range, table, gateways[index] ?? gateways[0]) };
  });
  const endpoint = s3Endpoint(scope, vpc, zones.map(({ table }) => table));
  return { vpc, privateSubnets: zones.map(({ zone, id }) => ({ zone, id })), routeTables: [publicTable, ...zones.map(({ table }) => table)], ways: [...zones.map(({ way }) => way), endpoint] };
}

function space(scope: EksScope): aws.ec2.Vpc {
  const { name, region, cluster, eks, parent } = scope;
  const vpc = new aws.ec2.Vpc(`${name}-vpc`, { region, cidrBlock: eks.network.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: nameTag(cluster) }, guarded(scope));
  // Without rules: what is started by hand and names no group reaches nothing and is reached by nobody.
  new aws.ec2.DefaultSecurityGroup(`${name}-default-group`, { region, vpcId: vpc.id, tags: nameTag(`${cluster}-closed`) }, { parent });
  return vpc;
}

const routeTable = ({ name, region, parent }: EksScope, part: string, tag: string, vpc: aws.ec2.Vpc): aws.ec2.RouteTable =>
  new aws.ec2.RouteTable(`${name}-routes-${part}`, { region, vpcId: vpc.id, tags: nameTag(tag) }, { parent });

function internet({ name, region, cluster, parent }: EksScope, vpc: aws.ec2.Vpc, table: aws.ec2.RouteTable): aws.ec2.Route {
  const gateway = new aws.ec2.InternetGateway(`${name}-internet`, { region, vpcId: vpc.id, tags: nameTag(cluster) }, { parent });
  return new aws.ec2.Route(`${name}-route-internet`, { region, routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id }, { parent });
}

interface MadeSubnet {
  readonly zone: string;
  readonly subnet: aws.ec2.Subnet;
}

function subnet({ name, region, cluster, parent }: EksScope, kind: "public" | "private", range: ZoneRanges, vpc: aws.ec2.Vpc, table: aws.ec2.RouteTable): MadeSubnet {
  const made = new aws.ec2.Subnet(
    `${name}-${kind}-${range.zone}`,
    {
      region,
      vpcId: vpc.id,
      availabilityZone: range.zone,
      cidrBlock: range[kind],
      mapPublicIpOnLaunch: false,
      // By these tags Kubernetes finds where to put load balancers: internal ones into the private subnets.
      tags: { ...nameTag(`${cluster}-${kind}-${range.zone}`), [`kubernetes.io/role/${kind === "public" ? "elb" : "internal-elb"}`]: "1" },
    },
    { parent },
  );
  new aws.ec2.RouteTableAssociation(`${name}-${kind}-${range.zone}-routes`, { region, subnetId: made.id, routeTableId: table.id }, { parent });
  return { zone: range.zone, subnet: made };
}

function nat({ name, region, cluster, parent }: EksScope, at: MadeSubnet, out: aws.ec2.Route): aws.ec2.NatGateway {
  const tags = nameTag(`${cluster}-${at.zone}`);
  const address = new aws.ec2.Eip(`${name}-nat-address-${at.zone}`, { region, domain: "vpc", tags }, { parent });
  return new aws.ec2.NatGateway(`${name}-nat-${at.zone}`, { region, subnetId: at.subnet.id, allocationId: address.id, tags }, { parent, dependsOn: [out] });
}

function wayOut({ name, region, parent }: EksScope, { zone }: ZoneRanges, table: aws.ec2.RouteTable, gateway: aws.ec2.NatGateway | undefined): aws.ec2.Route {
  if (gateway === undefined) throw new RangeError(`the zone ${zone} has no way out`);
  return new aws.ec2.Route(`${name}-route-${zone}`, { region, routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", natGatewayId: gateway.id }, { parent });
}

/** Costs nothing, and takes the region's own buckets off NAT, which costs 0.045 USD a GB. */
function s3Endpoint({ name, region, cluster, parent }: EksScope, vpc: aws.ec2.Vpc, tables: readonly aws.ec2.RouteTable[]): aws.ec2.VpcEndpoint {
  const routeTableIds = tables.map(({ id }) => id);
  return new aws.ec2.VpcEndpoint(`${name}-s3`, { region, vpcId: vpc.id, serviceName: `com.amazonaws.${region}.s3`, vpcEndpointType: "Gateway", routeTableIds, tags: nameTag(`${cluster}-s3`) }, { parent });
}

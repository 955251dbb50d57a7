import { describe, expect, it } from "vitest";
import { findNetwork } from "../../../components/foundation/find-network.ts";
import { PrivateZone } from "../../../components/foundation/private-zone.ts";
import { RegionPeering, type RegionNetwork, type RegionPeeringArgs } from "../../../components/foundation/region-peering.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";
import { refusal } from "../refusal.ts";

const own: RegionNetwork = { region: "us-east-1", cidr: "10.20.0.0/16", vpcId: "vpc-east", routeTableIds: ["rtb-east-public", "rtb-east-a"], zoneId: "zone-east" };
const west: RegionNetwork = { region: "us-west-2", cidr: "10.21.0.0/16", vpcId: "vpc-west", routeTableIds: ["rtb-west-public"], zoneId: "zone-west" };
const europe: RegionNetwork = { region: "eu-west-1", cidr: "10.22.0.0/16", vpcId: "vpc-europe", routeTableIds: ["rtb-europe-public"] };
const args = (changes: Partial<RegionPeeringArgs> = {}): RegionPeeringArgs => ({ plan: blackroad, own, peers: [west, europe], lifetime: "kept", ...changes });

describe("RegionPeering", () => {
  it("asks for a connection in its own region and accepts it in the peer's", async () => {
    const declared = await declare(() => new RegionPeering("peering", args()));
    expect(declared.one("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "peering-us-west-2")).toMatchObject({ protect: true, inputs: { region: "us-east-1", vpcId: "vpc-east", peerVpcId: "vpc-west", peerRegion: "us-west-2" } });
    expect(declared.one("aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", "peering-us-west-2-accepter")).toMatchObject({ protect: true, inputs: { region: "us-west-2", vpcPeeringConnectionId: "peering-us-west-2-id", autoAccept: true } });
  });

  it("routes both ways, each route in the region of its table", async () => {
    const declared = await declare(() => new RegionPeering("peering", args({ peers: [west] })));
    const routes = declared.of("aws:ec2/route:Route").map(({ inputs }) => ({ region: inputs["region"], table: inputs["routeTableId"], to: inputs["destinationCidrBlock"] }));
    expect(routes).toHaveLength(3);
    expect(routes).toEqual(
      expect.arrayContaining([
        { region: "us-east-1", table: "rtb-east-public", to: "10.21.0.0/16" },
        { region: "us-east-1", table: "rtb-east-a", to: "10.21.0.0/16" },
        { region: "us-west-2", table: "rtb-west-public", to: "10.20.0.0/16" },
      ]),
    );
  });

  it("lets names be resolved on both sides, and each side's zone in the other's network", async () => {
    const declared = await declare(() => new RegionPeering("peering", args({ peers: [west] })));
    const sides = declared.of("aws:ec2/peeringConnectionOptions:PeeringConnectionOptions").map(({ inputs }) => inputs);
    expect(sides).toEqual(expect.arrayContaining([expect.objectContaining({ region: "us-east-1", requester: { allowRemoteVpcDnsResolution: true } }), expect.objectContaining({ region: "us-west-2", accepter: { allowRemoteVpcDnsResolution: true } })]));
    const zones = declared.of("aws:route53/zoneAssociation:ZoneAssociation").map(({ inputs }) => inputs);
    expect(zones).toEqual(expect.arrayContaining([{ zoneId: "zone-west", vpcId: "vpc-east", vpcRegion: "us-east-1" }, { zoneId: "zone-east", vpcId: "vpc-west", vpcRegion: "us-west-2" }]));
  });

  it("has the connections by the peer's region, and protects nothing in a drill", async () => {
    const declared = await declare(() => new RegionPeering("peering", args({ lifetime: "ephemeral" })));
    expect(Object.keys(declared.outputs.connections)).toEqual(["us-west-2", "eu-west-1"]);
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it.each<[string, Partial<RegionPeeringArgs>, string]>([
    ["nobody to join", { peers: [] }, "peers: there is none"],
    ["overlapping networks", { peers: [{ ...west, cidr: "10.20.128.0/17" }] }, "us-east-1 (10.20.0.0/16) and us-west-2 (10.20.128.0/17) overlap"],
    ["peers that overlap each other", { peers: [west, { ...europe, cidr: west.cidr }] }, "us-west-2 (10.21.0.0/16) and eu-west-1 (10.21.0.0/16) overlap"],
    ["its own region as a peer", { peers: [{ ...west, region: "us-east-1" }] }, "us-east-1 is named twice"],
    ["a region that the plan does not know", { peers: [{ ...west, region: "mars-1" }] }, "mars-1 is no region of the plan"],
    ["what is no range", { peers: [{ ...west, cidr: "10.21.0.0" }] }, 'us-west-2: "10.21.0.0" is no IPv4 range'],
    ["a network without routes", { peers: [{ ...west, routeTableIds: [] }] }, "us-west-2: no route table"],
  ])("refuses %s", async (_, changes, message) => {
    expect(await refusal(() => new RegionPeering("peering", args(changes)))).toContain(message);
  });
});

describe("another region's network", () => {
  const place = { region: "us-west-2", domain: "us-west-2.dr.example" };
  it("is found by tags that follow from the plan, in its own region, and never by its stack", async () => {
    const declared = await declare(() => {
      const found = findNetwork({ plan: blackroad, place, network: { cidr: "10.21.0.0/16", zones: ["us-west-2a", "us-west-2b"] } });
      return new RegionPeering("peering", args({ peers: [found] }));
    });
    const asked = declared.calls.map(({ token, inputs }) => [token.split(":").at(-1), inputs["region"], inputs["tags"]]);
    expect(asked).toEqual(
      expect.arrayContaining([
        ["getVpc", "us-west-2", { Name: "blackroad-dr-us-west-2" }],
        ["getRouteTable", "us-west-2", { Name: "blackroad-dr-us-west-2-public" }],
        ["getRouteTable", "us-west-2", { Name: "blackroad-dr-us-west-2-private-us-west-2a" }],
        ["getRouteTable", "us-west-2", { Name: "blackroad-dr-us-west-2-private-us-west-2b" }],
        ["getZone", undefined, { Name: "blackroad-dr-us-west-2-servers" }],
      ]),
    );
  });

  it("has no zone where its stack declares none", async () => {
    const declared = await declare(() => findNetwork({ plan: blackroad, place, network: { cidr: "10.21.0.0/16", zones: ["us-west-2a", "us-west-2b"] }, hasZone: false }));
    expect(declared.outputs).not.toHaveProperty("zoneId");
    expect(declared.calls.some(({ token }) => token.endsWith("getZone"))).toBe(false);
  });
});

describe("PrivateZone", () => {
  const place = { region: "us-west-2", namespace: "blackroad-dr", domain: "us-west-2.dr.example" };
  it("is the zone of the region's domain, resolved in its network, and leaves the peers' associations alone", async () => {
    const declared = await declare(() => new PrivateZone("zone", { plan: blackroad, place, vpcId: "vpc-west", lifetime: "kept" }));
    expect(declared.one("aws:route53/zone:Zone")).toMatchObject({ protect: true, ignoreChanges: ["vpcs"], inputs: { name: "us-west-2.dr.example", vpcs: [{ vpcId: "vpc-west", vpcRegion: "us-west-2" }], forceDestroy: false, tags: { Name: "blackroad-dr-us-west-2-servers" } } });
  });

  it("goes with its records in a drill", async () => {
    const declared = await declare(() => new PrivateZone("zone", { plan: blackroad, place, vpcId: "vpc-west", lifetime: "ephemeral" }));
    expect(declared.one("aws:route53/zone:Zone")).toMatchObject({ protect: false, inputs: { forceDestroy: true } });
  });

  it.each([
    ["a region that the plan does not know", { ...place, region: "mars-1" }, "mars-1 is no region of the plan"],
    ["what is no domain", { ...place, domain: "example" }, 'place.domain: "example" is no domain of at least two labels'],
    ["Kubernetes' own domain", { ...place, domain: "blackroad-dr.svc.cluster.local" }, "is Kubernetes' own inside a cluster"],
  ])("refuses %s", async (_, wrong, message) => {
    expect(await refusal(() => new PrivateZone("zone", { plan: blackroad, place: wrong, vpcId: "vpc-west", lifetime: "kept" }))).toContain(message);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EksCluster } from "../../../components/foundation/cluster-choice.ts";
import { logRetention } from "../../../components/foundation/eks/control-plane.ts";
import { eksKubeconfig } from "../../../components/foundation/eks/kubeconfig.ts";
import { trustOfAccount } from "../../../components/foundation/eks/roles.ts";
import { RegionCluster, type RegionClusterArgs } from "../../../components/foundation/region-cluster.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { days, gib } from "../../../plan/units.ts";
import { declare, type Declaration } from "../../harness/pulumi.ts";
import { refusal } from "../refusal.ts";

const issuer = "https://oidc.eks.us-west-2.amazonaws.com/id/ABCDEF";
const eks: EksCluster = {
  kind: "eks",
  version: "1.34",
  network: { cidr: "10.21.0.0/16", zones: ["us-west-2a", "us-west-2b", "us-west-2c"] },
  nodes: [{ name: "databases", instanceTypes: ["m7i.xlarge", "m6i.xlarge"], perZone: { min: 1, desired: 1, max: 2 }, disk: gib(50) }],
  apiAccess: ["203.0.113.0/24"],
  administrators: ["arn:aws:iam::111122223333:role/deploy"],
};
const args = (changes: Partial<EksCluster> = {}, more: Partial<RegionClusterArgs> = {}): RegionClusterArgs => ({ plan: blackroad, region: "us-west-2", cluster: { ...eks, ...changes }, lifetime: "kept", ...more });

/** What AWS computes of a cluster. */
const computed = (type: string): Record<string, unknown> | undefined =>
  type === "aws:eks/cluster:Cluster" ? { endpoint: "https://api.eks.example", certificateAuthority: { data: "Y2E=" }, identities: [{ oidcs: [{ issuer }] }] } : type === "aws:ec2/launchTemplate:LaunchTemplate" ? { latestVersion: 3 } : undefined;
const declareCluster = (changes: Partial<EksCluster> = {}, more: Partial<RegionClusterArgs> = {}) => declare(() => new RegionCluster("cluster", args(changes, more)), { computed });
/** Looked at by many tests; declared once, as it is large. */
let first: ReturnType<typeof declareCluster> | undefined;
const usual = () => (first ??= declareCluster());

const clusterType = "aws:eks/cluster:Cluster";
const groupType = "aws:eks/nodeGroup:NodeGroup";
const addOns = (declared: Declaration<unknown>) => declared.of("aws:eks/addon:Addon");

describe("a cluster that is made", () => {
  it("has a private and a public subnet in each zone, and a way out in each", async () => {
    const declared = await usual();
    const subnets = declared.of("aws:ec2/subnet:Subnet").map(({ inputs }) => inputs);
    expect(subnets).toHaveLength(6);
    expect(new Set(subnets.map((one) => one["cidrBlock"])).size).toBe(6);
    expect(subnets.every((one) => one["mapPublicIpOnLaunch"] === false && one["region"] === "us-west-2")).toBe(true);
    expect(declared.of("aws:ec2/natGateway:NatGateway")).toHaveLength(3);
    expect(declared.one("aws:ec2/route:Route", "cluster-route-us-west-2c").inputs).toMatchObject({ destinationCidrBlock: "0.0.0.0/0", natGatewayId: "cluster-nat-us-west-2c-id", routeTableId: "cluster-routes-private-us-west-2c-id" });
    expect(declared.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs).toMatchObject({ serviceName: "com.amazonaws.us-west-2.s3", vpcEndpointType: "Gateway" });
  });

  it("goes out through one zone where that is asked for", async () => {
    const declared = await declareCluster({ network: { ...eks.network, nat: "one" } });
    expect(declared.of("aws:ec2/natGateway:NatGateway").map(({ name }) => name)).toEqual(["cluster-nat-us-west-2a"]);
    expect(declared.one("aws:ec2/route:Route", "cluster-route-us-west-2c").inputs).toMatchObject({ natGatewayId: "cluster-nat-us-west-2a-id" });
  });

  it("carries the tags by which other regions find its network", async () => {
    const declared = await usual();
    const tag = (one: { readonly inputs: Readonly<Record<string, unknown>> }) => one.inputs["tags"];
    expect(declared.of("aws:ec2/vpc:Vpc").map(tag)).toEqual([{ Name: "blackroad-dr-us-west-2" }]);
    expect(declared.of("aws:ec2/routeTable:RouteTable").map(tag)).toEqual(["public", "private-us-west-2a", "private-us-west-2b", "private-us-west-2c"].map((part) => ({ Name: `blackroad-dr-us-west-2-${part}` })));
  });

  it("lets nobody in but its administrators, from the addresses that are named, and keeps all logs as long as the plan does", async () => {
    const declared = await usual();
    expect(declared.one(clusterType)).toMatchObject({
      protect: true,
      inputs: {
        name: "blackroad-dr-us-west-2",
        version: "1.34",
        deletionProtection: true,
        bootstrapSelfManagedAddons: false,
        vpcConfig: { endpointPrivateAccess: true, endpointPublicAccess: true, publicAccessCidrs: ["203.0.113.0/24"] },
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
        enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
      },
    });
    expect(declared.one("aws:eks/accessPolicyAssociation:AccessPolicyAssociation").inputs).toMatchObject({ principalArn: "arn:aws:iam::111122223333:role/deploy", accessScope: { type: "cluster" } });
    expect(declared.one("aws:cloudwatch/logGroup:LogGroup").inputs).toMatchObject({ name: "/aws/eks/blackroad-dr-us-west-2/cluster", retentionInDays: 30 });
  });

  it("is not reached from outside its network where no address is named", async () => {
    const { inputs } = (await declareCluster({ apiAccess: [] })).one(clusterType);
    expect(inputs["vpcConfig"]).toMatchObject({ endpointPrivateAccess: true, endpointPublicAccess: false });
    expect(inputs["vpcConfig"]).not.toHaveProperty("publicAccessCidrs");
  });

  it("encrypts Kubernetes' secrets with a key of its own that rotates, or with the key behind an alias", async () => {
    const own = await usual();
    expect(own.one("aws:kms/key:Key")).toMatchObject({ protect: true, retainOnDelete: true, inputs: { enableKeyRotation: true, region: "us-west-2" } });
    expect(own.one(clusterType).inputs).toMatchObject({ encryptionConfig: { resources: ["secrets"], provider: { keyArn: "arn:aws:kms:us-west-2:111122223333:cluster-secrets-key" } } });
    const shared = await declare(() => new RegionCluster("cluster", args({ secretsKeyAlias: "alias/blackroad-backups" })), { computed, call: (token) => (token === "aws:kms/getAlias:getAlias" ? { targetKeyArn: "arn:of-the-key" } : undefined) });
    expect(shared.of("aws:kms/key:Key")).toEqual([]);
    expect(shared.one(clusterType).inputs).toMatchObject({ encryptionConfig: { provider: { keyArn: "arn:of-the-key" } } });
  });

  it("has a group of nodes in each zone, whose pods cannot get at the nodes' role", async () => {
    const declared = await usual();
    const groups = declared.of(groupType);
    expect(groups.map(({ inputs }) => inputs["subnetIds"])).toEqual([["cluster-private-us-west-2a-id"], ["cluster-private-us-west-2b-id"], ["cluster-private-us-west-2c-id"]]);
    expect(groups[0]).toMatchObject({ ignoreChanges: ["scalingConfig.desiredSize"], inputs: { instanceTypes: ["m7i.xlarge", "m6i.xlarge"], scalingConfig: { minSize: 1, desiredSize: 1, maxSize: 2 }, launchTemplate: { version: "3" } } });
    expect(declared.one("aws:ec2/launchTemplate:LaunchTemplate").inputs).toMatchObject({ metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }, blockDeviceMappings: [{ ebs: { volumeSize: 50, encrypted: "true", volumeType: "gp3" } }] });
  });

  it("has the network's add-on before its nodes, enforcing network policies, and what runs on nodes after them", async () => {
    const declared = await usual();
    const urnOf = (name: string) => addOns(declared).find((one) => one.inputs["addonName"] === name)?.urn ?? "";
    expect(addOns(declared).map(({ inputs }) => inputs["addonName"]).sort()).toEqual(["aws-ebs-csi-driver", "coredns", "kube-proxy", "vpc-cni"]);
    expect(declared.one("aws:eks/addon:Addon", "cluster-vpc-cni").inputs["configurationValues"]).toBe('{"enableNetworkPolicy":"true"}');
    for (const group of declared.of(groupType)) {
      expect(group.dependencies).toContain(urnOf("vpc-cni"));
      expect(declared.one("aws:eks/addon:Addon", "cluster-coredns").dependencies).toContain(group.urn);
    }
    expect(declared.one("aws:eks/addon:Addon", "cluster-aws-ebs-csi-driver").inputs).toMatchObject({ serviceAccountRoleArn: "arn:aws:iam::111122223333:cluster-ebs-csi-role" });
  });

  it("gives its add-ons' roles to exactly one service account each", async () => {
    const declared = await usual();
    const trust: unknown = JSON.parse(String(declared.one("aws:iam/role:Role", "cluster-ebs-csi-role").inputs["assumeRolePolicy"]));
    expect(trust).toMatchObject({ Statement: [{ Action: "sts:AssumeRoleWithWebIdentity", Condition: { StringEquals: { "oidc.eks.us-west-2.amazonaws.com/id/ABCDEF:sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa", "oidc.eks.us-west-2.amazonaws.com/id/ABCDEF:aud": "sts.amazonaws.com" } } }] });
    expect(trustOfAccount("arn", "https://issuer/id", { namespace: "n", name: "a" })).not.toContain("https://");
  });

  it("is reached with a kubeconfig that holds no secret, and waits for nodes and administrators", async () => {
    const declared = await usual();
    const provider = declared.one("pulumi:providers:kubernetes");
    expect(provider.inputs["kubeconfig"]).toBe(eksKubeconfig({ cluster: "blackroad-dr-us-west-2", region: "us-west-2", endpoint: "https://api.eks.example", authority: "Y2E=" }));
    expect(String(provider.inputs["kubeconfig"])).not.toMatch(/token":|client-key/);
    expect(provider.dependencies).toEqual(expect.arrayContaining([declared.one("aws:eks/accessPolicyAssociation:AccessPolicyAssociation").urn, ...declared.of(groupType).map(({ urn }) => urn)]));
  });

  it("has a storage class of encrypted SSDs in its own cluster, whose volumes outlive their claims where it is kept", async () => {
    const kept = (await usual()).one("kubernetes:storage.k8s.io/v1:StorageClass", "cluster-storage-class");
    expect(kept).toMatchObject({ inputs: { metadata: { name: "dr-gp3" }, reclaimPolicy: "Retain", volumeBindingMode: "WaitForFirstConsumer", parameters: { encrypted: "true", type: "gp3" } } });
    expect(kept.provider).toContain("cluster-kubernetes");
    const drill = await declareCluster({}, { lifetime: "ephemeral", clusterName: "dr-drill-20261123-abcd" });
    expect(drill.one("kubernetes:storage.k8s.io/v1:StorageClass", "cluster-storage-class").inputs).toMatchObject({ reclaimPolicy: "Delete" });
  });

  it("leaves nothing behind of a volume that names no class, as that of each verification's restore", async () => {
    const classes = (await usual()).of("kubernetes:storage.k8s.io/v1:StorageClass").map(({ inputs }) => inputs);
    expect(classes.filter((one) => JSON.stringify(one).includes("is-default-class"))).toEqual([expect.objectContaining({ reclaimPolicy: "Delete" })]);
  });

  it("tells who needs it its identity provider, its network and its storage class", async () => {
    const declared = await declare(
      () =>
        new Promise<Record<string, unknown>>((resolve) => {
          const { oidc, vpcId, routeTableIds, cidr, storageClass } = new RegionCluster("cluster", args());
          vpcId?.apply((vpc) => resolve({ hasIdentity: oidc !== undefined, vpc, tables: routeTableIds.length, cidr, storageClass }));
        }),
      { computed },
    );
    expect(declared.outputs).toEqual({ hasIdentity: true, vpc: "cluster-vpc-id", tables: 4, cidr: "10.21.0.0/16", storageClass: "dr-gp3" });
    expect(declared.one("blackroad:foundation:RegionCluster").outputs).toMatchObject({ region: "us-west-2", kind: "eks", cidr: "10.21.0.0/16", lifetime: "kept" });
  });

  it("protects nothing in a drill", async () => {
    const declared = await declareCluster({}, { lifetime: "ephemeral", clusterName: "dr-drill-20261123-abcd" });
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
    expect(declared.one(clusterType).inputs).toMatchObject({ name: "dr-drill-20261123-abcd", deletionProtection: false });
  });

  it("puts every resource of AWS into the region, but those of IAM, which knows none", async () => {
    const declared = await usual();
    const wrong = declared.all.filter(({ type, inputs }) => type.startsWith("aws:") && !type.startsWith("aws:iam/") && inputs["region"] !== "us-west-2");
    expect(wrong.map(({ type, name }) => `${type} ${name}`)).toEqual([]);
  });

  it.each<[string, Partial<EksCluster>, string]>([
    ["a version that is none", { version: "latest" }, 'cluster.version: "latest"'],
    ["a network that is none", { network: { ...eks.network, cidr: "10.21.0.0" } }, 'cluster.network.cidr: "10.21.0.0" is no IPv4 range'],
    ["a public network", { network: { ...eks.network, cidr: "11.0.0.0/16" } }, "11.0.0.0/16 is not private"],
    ["a network too narrow for pods", { network: { ...eks.network, cidr: "10.21.0.0/24" } }, "must be /16 to /20"],
    ["one zone alone", { network: { ...eks.network, zones: ["us-west-2a"] } }, "cluster.network.zones: 1 of at least 2"],
    ["one zone twice", { network: { ...eks.network, zones: ["us-west-2a", "us-west-2a"] } }, "us-west-2a is named twice"],
    ["another region's zone", { network: { ...eks.network, zones: ["us-west-2a", "us-east-1a"] } }, "us-east-1a is no zone of us-west-2"],
    ["no nodes", { nodes: [] }, "cluster.nodes: there is no group"],
    ["a group without a type", { nodes: [{ name: "a", instanceTypes: [], perZone: { min: 1, desired: 1, max: 1 }, disk: gib(20) }] }, "cluster.nodes: a has no instance type"],
    ["more nodes than the most", { nodes: [{ name: "a", instanceTypes: ["t3.large"], perZone: { min: 1, desired: 3, max: 2 }, disk: gib(20) }] }, "1 ≤ 3 ≤ 2 nodes per zone does not hold"],
    ["an API server for everybody", { apiAccess: ["0.0.0.0/0"] }, "0.0.0.0/0 is nearly everybody"],
    ["an address that is none", { apiAccess: ["office"] }, 'cluster.apiAccess: "office" is no IPv4 range'],
    ["no administrator", { administrators: [] }, "cluster.administrators: nobody could do anything"],
    ["an administrator that is no role", { administrators: ["deploy"] }, 'cluster.administrators: "deploy" is no ARN'],
    ["an alias that is none", { secretsKeyAlias: "backups" }, 'cluster.secretsKeyAlias: "backups" does not start with alias/'],
  ])("is refused with %s", async (_, changes, message) => {
    expect(await refusal(() => new RegionCluster("cluster", args(changes)))).toContain(message);
  });

  it("is refused in a region that the plan does not know, under production's name in a drill, and under a name too long for roles", async () => {
    expect(await refusal(() => new RegionCluster("cluster", args({}, { region: "mars-1" })))).toContain("region: mars-1 is no region of the plan (us-east-1, us-west-2, eu-west-1)");
    expect(await refusal(() => new RegionCluster("cluster", args({}, { lifetime: "ephemeral" })))).toContain("clusterName: a drill's cluster needs a name of its own");
    expect(await refusal(() => new RegionCluster("cluster", args({}, { clusterName: "x".repeat(60) })))).toContain("IAM takes 64");
  });

  it("keeps logs for the least time that CloudWatch knows and the plan is content with", () => {
    const keep = (retention: ReturnType<typeof days> | "forever") => logRetention({ ...blackroad, schedules: blackroad.schedules.map((one) => (one.name === "logs-ship" ? { ...one, retention } : one)) });
    expect([keep(days(30)), keep(days(31)), keep(days(9_999)), keep("forever")]).toEqual([30, 60, 0, 0]);
  });
});

describe("an existing cluster", () => {
  let folder: string;
  let kubeconfig: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dr-region-cluster-"));
    kubeconfig = join(folder, "config");
    writeFileSync(kubeconfig, "contexts: [{name: east, context: {cluster: east, user: ops}}]\nclusters: [{name: east, cluster: {server: 'https://east.example'}}]\nusers: [{name: ops, user: {token: t}}]\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is reached by its context, and nothing but that is declared", async () => {
    const oidc = { arn: "arn:aws:iam::111122223333:oidc-provider/issuer", issuer: "https://issuer" };
    const declared = await declare(() => new RegionCluster("cluster", { plan: blackroad, region: "us-east-1", cluster: { kind: "existing", context: "east", kubeconfig, oidc }, lifetime: "kept" }));
    expect(declared.all.map(({ type }) => type).sort()).toEqual(["blackroad:foundation:RegionCluster", "pulumi:providers:kubernetes"]);
    expect(declared.one("pulumi:providers:kubernetes").inputs).toMatchObject({ context: "east", kubeconfig });
    expect(declared.outputs).toMatchObject({ oidc, vpcId: undefined, cidr: undefined, routeTableIds: [] });
  });

  it("is refused where its context is missing, before anything is declared", async () => {
    const missing = () => new RegionCluster("cluster", { plan: blackroad, region: "us-east-1", cluster: { kind: "existing", context: "west", kubeconfig }, lifetime: "kept" });
    expect(await refusal(missing)).toContain(`cluster.context: ${kubeconfig}: there is no context "west"; there are: east`);
  });

  it("is refused where there is no kubeconfig", async () => {
    expect(await refusal(() => new RegionCluster("cluster", { plan: blackroad, region: "us-east-1", cluster: { kind: "existing", context: "east", kubeconfig: join(folder, "none") }, lifetime: "kept" }))).toContain("it cannot be read");
  });
});

import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { gib } from "../../../plan/units.ts";
import type { NodeGroup } from "../cluster-choice.ts";
import type { EksNetwork } from "./network.ts";
import { rolesOf, serviceRole } from "./roles.ts";
import { nameTag, type EksScope } from "./scope.ts";

/** The nodes, a managed group for each kind and zone: a volume never leaves its zone, so neither must its node's group. */
export function nodes(scope: EksScope, net: EksNetwork, cluster: aws.eks.Cluster, after: readonly pulumi.Resource[]): readonly aws.eks.NodeGroup[] {
  const { role, policies } = serviceRole(scope, rolesOf.nodes, "ec2.amazonaws.com", ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]);
  return scope.eks.nodes.flatMap((group) => {
    const template = launchTemplate(scope, group);
    return net.privateSubnets.map((subnet) => zoneGroup(scope, group, subnet, { cluster, role, template, after: [...policies, ...net.ways, ...after] }));
  });
}

function launchTemplate({ name, region, cluster, parent }: EksScope, group: NodeGroup): aws.ec2.LaunchTemplate {
  const tags = nameTag(`${cluster}-${group.name}`);
  return new aws.ec2.LaunchTemplate(
    `${name}-nodes-${group.name}-template`,
    {
      region,
      name: `${cluster}-${group.name}`,
      updateDefaultVersion: true,
      // One hop: a pod never gets at the node's own role.
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { volumeType: "gp3", volumeSize: Math.ceil(group.disk / gib(1)), encrypted: "true", deleteOnTermination: "true" } }],
      tagSpecifications: ["instance", "volume"].map((resourceType) => ({ resourceType, tags })),
      tags,
    },
    { parent },
  );
}

interface GroupParts {
  readonly cluster: aws.eks.Cluster;
  readonly role: aws.iam.Role;
  readonly template: aws.ec2.LaunchTemplate;
  readonly after: readonly pulumi.Resource[];
}

function zoneGroup(scope: EksScope, group: NodeGroup, subnet: EksNetwork["privateSubnets"][number], { cluster, role, template, after }: GroupParts): aws.eks.NodeGroup {
  const { name, region, eks, parent } = scope;
  const { min, desired, max } = group.perZone;
  return new aws.eks.NodeGroup(
    `${name}-nodes-${group.name}-${subnet.zone}`,
    {
      region,
      clusterName: cluster.name,
      nodeGroupName: `${group.name}-${subnet.zone}`,
      nodeRoleArn: role.arn,
      subnetIds: [subnet.id],
      version: eks.version,
      amiType: "AL2023_x86_64_STANDARD",
      capacityType: "ON_DEMAND", // databases run on them: AWS takes spot nodes away within two minutes
      instanceTypes: [...group.instanceTypes],
      launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      scalingConfig: { minSize: min, desiredSize: desired, maxSize: max },
      updateConfig: { maxUnavailable: 1 },
      nodeRepairConfig: { enabled: true },
      labels: { "blackroad/node-group": group.name },
      tags: nameTag(`${scope.cluster}-${group.name}-${subnet.zone}`),
    },
    { parent, dependsOn: [...after], ignoreChanges: ["scalingConfig.desiredSize"] },
  );
}

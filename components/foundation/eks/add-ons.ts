import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { accountRole, rolesOf } from "./roles.ts";
import type { EksScope } from "./scope.ts";

interface AddOn {
  readonly name: string;
  readonly configuration?: object;
  readonly role?: aws.iam.Role;
  readonly after: readonly pulumi.Resource[];
}

function addOn({ name, region, parent }: EksScope, cluster: aws.eks.Cluster, { name: addonName, configuration, role, after }: AddOn): aws.eks.Addon {
  return new aws.eks.Addon(
    `${name}-${addonName}`,
    {
      region,
      clusterName: cluster.name,
      addonName,
      ...(configuration === undefined ? {} : { configurationValues: JSON.stringify(configuration) }),
      ...(role === undefined ? {} : { serviceAccountRoleArn: role.arn }),
      resolveConflictsOnCreate: "OVERWRITE",
      resolveConflictsOnUpdate: "OVERWRITE",
    },
    { parent, dependsOn: [...after] },
  );
}

/** What a node needs to become ready: AWS waits for that before it calls a group of nodes made. */
export function nodeAddOns(scope: EksScope, cluster: aws.eks.Cluster, oidc: aws.iam.OpenIdConnectProvider): readonly aws.eks.Addon[] {
  const { role, policies } = accountRole(scope, rolesOf.network, oidc, { namespace: "kube-system", name: "aws-node" }, ["AmazonEKS_CNI_Policy"]);
  return [
    // Without that setting EKS takes network policies and enforces none of them.
    addOn(scope, cluster, { name: "vpc-cni", configuration: { enableNetworkPolicy: "true" }, role, after: policies }),
    addOn(scope, cluster, { name: "kube-proxy", after: [] }),
  ];
}

/** What runs on nodes. */
export function clusterAddOns(scope: EksScope, cluster: aws.eks.Cluster, oidc: aws.iam.OpenIdConnectProvider, nodes: readonly pulumi.Resource[]): readonly aws.eks.Addon[] {
  const { role, policies } = accountRole(scope, rolesOf.volumes, oidc, { namespace: "kube-system", name: "ebs-csi-controller-sa" }, ["service-role/AmazonEBSCSIDriverPolicy"]);
  return [addOn(scope, cluster, { name: "coredns", after: nodes }), addOn(scope, cluster, { name: "aws-ebs-csi-driver", role, after: [...policies, ...nodes] })];
}

import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { scheduleOf } from "../../../plan/find.ts";
import type { Plan } from "../../../plan/types.ts";
import { days } from "../../../plan/units.ts";
import { dataOptions } from "../../component.ts";
import type { EksNetwork } from "./network.ts";
import { rolesOf, serviceRole } from "./roles.ts";
import { guarded, nameTag, type EksScope } from "./scope.ts";

export interface ControlPlane {
  readonly cluster: aws.eks.Cluster;
  readonly oidc: aws.iam.OpenIdConnectProvider;
  /** What lets the administrators in; nothing can be declared in the cluster before. */
  readonly access: readonly pulumi.Resource[];
}

/** The API server, who may use it, and what it issues identities by. */
export function controlPlane(scope: EksScope, net: EksNetwork): ControlPlane {
  const cluster = server(scope, net, logs(scope));
  return { cluster, oidc: workloadIdentity(scope, cluster), access: scope.eks.administrators.flatMap((arn) => administrator(scope, cluster, arn)) };
}

function server(scope: EksScope, net: EksNetwork, log: aws.cloudwatch.LogGroup): aws.eks.Cluster {
  const { name, region, eks, lifetime } = scope;
  const { role, policies } = serviceRole(scope, rolesOf.controlPlane, "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
  return new aws.eks.Cluster(
    `${name}-cluster`,
    {
      region,
      name: scope.cluster,
      version: eks.version,
      roleArn: role.arn,
      vpcConfig: {
        subnetIds: net.privateSubnets.map(({ id }) => id),
        endpointPrivateAccess: true,
        endpointPublicAccess: eks.apiAccess.length > 0,
        ...(eks.apiAccess.length > 0 ? { publicAccessCidrs: [...eks.apiAccess] } : {}),
      },
      // Entries alone: no config map that a bad edit turns into a locked door, and no administrator that no list shows.
      accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
      encryptionConfig: { provider: { keyArn: secretsKey(scope) }, resources: ["secrets"] },
      enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
      bootstrapSelfManagedAddons: false, // add-ons.ts declares them
      deletionProtection: lifetime === "kept",
      tags: nameTag(scope.cluster),
    },
    { ...guarded(scope), dependsOn: [...policies, log] },
  );
}

/** EKS takes the key of an alias and keeps that: the alias's own ARN would look like a change. */
function secretsKey({ name, region, cluster, eks, parent, lifetime }: EksScope): pulumi.Output<string> {
  if (eks.secretsKeyAlias !== undefined) return aws.kms.getAliasOutput({ name: eks.secretsKeyAlias, region }, { parent }).targetKeyArn;
  const key = new aws.kms.Key(`${name}-secrets-key`, { region, description: `Secrets of the Kubernetes cluster ${cluster}`, enableKeyRotation: true, deletionWindowInDays: 30 }, dataOptions(parent, lifetime));
  new aws.kms.Alias(`${name}-secrets-key-alias`, { region, name: `alias/${cluster}-secrets`, targetKeyId: key.id }, { parent });
  return key.arn;
}

/** Declared before the cluster, which would otherwise make it itself and keep everything for ever. */
function logs({ name, region, cluster, plan, parent, lifetime }: EksScope): aws.cloudwatch.LogGroup {
  return new aws.cloudwatch.LogGroup(`${name}-log`, { region, name: `/aws/eks/${cluster}/cluster`, retentionInDays: logRetention(plan) }, dataOptions(parent, lifetime));
}

/** What CloudWatch lets a log be kept for, in days; 0 is for ever. */
const logRetentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/** The least that is at least as long as the plan keeps logs. */
export function logRetention(plan: Plan): number {
  const retention = scheduleOf(plan, "logs-ship")?.retention ?? "forever";
  return retention === "forever" ? 0 : (logRetentions.find((one) => days(one) >= retention) ?? 0);
}

/** What the cluster's service accounts are known to IAM by. AWS checks the issuer's certificate by its own authorities,
 * so no thumbprint is pinned that a renewal would break. */
const workloadIdentity = ({ name, cluster: clusterName, parent }: EksScope, cluster: aws.eks.Cluster): aws.iam.OpenIdConnectProvider =>
  new aws.iam.OpenIdConnectProvider(`${name}-oidc`, { url: issuerOf(cluster), clientIdLists: ["sts.amazonaws.com"], tags: nameTag(clusterName) }, { parent });

/** With `https://`. */
export function issuerOf(cluster: aws.eks.Cluster): pulumi.Output<string> {
  return cluster.identities.apply((identities) => {
    const issuer = identities[0]?.oidcs[0]?.issuer;
    if (issuer === undefined) throw new Error("EKS named no OIDC issuer of the cluster");
    return issuer;
  });
}

function administrator({ name, region, parent }: EksScope, cluster: aws.eks.Cluster, principalArn: string): readonly pulumi.Resource[] {
  const who = principalArn.split("/").at(-1) ?? principalArn;
  const entry = new aws.eks.AccessEntry(`${name}-access-${who}`, { region, clusterName: cluster.name, principalArn, type: "STANDARD" }, { parent });
  const policyArn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
  const policy = new aws.eks.AccessPolicyAssociation(`${name}-administrator-${who}`, { region, clusterName: cluster.name, principalArn, policyArn, accessScope: { type: "cluster" } }, { parent, dependsOn: [entry] });
  return [entry, policy];
}

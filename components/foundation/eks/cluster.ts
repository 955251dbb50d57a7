import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { clusterAddOns, nodeAddOns } from "./add-ons.ts";
import { controlPlane, issuerOf } from "./control-plane.ts";
import { eksKubeconfig } from "./kubeconfig.ts";
import { network } from "./network.ts";
import { nodes } from "./nodes.ts";
import type { EksScope } from "./scope.ts";
import { storageClasses } from "./storage-classes.ts";
import type { WorkloadIdentity } from "../cluster-choice.ts";

export interface EksParts {
  readonly provider: k8s.Provider;
  readonly oidc: WorkloadIdentity;
  readonly vpcId: pulumi.Output<string>;
  readonly routeTableIds: readonly pulumi.Output<string>[];
  readonly storageClass: string;
}

/** A cluster from nothing, in the order in which its parts need each other. */
export function eksCluster(scope: EksScope): EksParts {
  const net = network(scope);
  const { cluster, oidc, access } = controlPlane(scope, net);
  const early = nodeAddOns(scope, cluster, oidc);
  const groups = nodes(scope, net, cluster, early);
  const late = clusterAddOns(scope, cluster, oidc, groups);
  const provider = kubernetes(scope, cluster, [...access, ...groups, ...late]);
  return { provider, oidc: { arn: oidc.arn, issuer: issuerOf(cluster) }, vpcId: net.vpc.id, routeTableIds: net.routeTables.map(({ id }) => id), storageClass: storageClasses(scope, provider) };
}

type Cluster = ReturnType<typeof controlPlane>["cluster"];

function kubernetes({ name, region, cluster: clusterName, parent }: EksScope, cluster: Cluster, ready: readonly pulumi.Resource[]): k8s.Provider {
  const kubeconfig = pulumi.all([cluster.endpoint, cluster.certificateAuthority]).apply(([endpoint, { data }]) => eksKubeconfig({ cluster: clusterName, region, endpoint, authority: data }));
  return new k8s.Provider(`${name}-kubernetes`, { kubeconfig, enableServerSideApply: true }, { parent, dependsOn: [...ready] });
}

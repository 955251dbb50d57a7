import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { clusterAddOns, nodeAddOns } from "./add-ons.ts";
import { controlPlane, issuerOf } from "./control-plane.ts";
import { eksKubeconfig } from "./kubeconfig.ts";
import { network } from "./network.ts";
import { nodes } from "./nodes.ts";
import type { EksScope } from "./scope.ts";
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
  return { provider, oidc: { arn: oidc.arn, issuer: issuerOf(cluster) }, vpcId: net.vpc.id, routeTableIds: net.routeTables.map(({ id }) => id), storageClass: storageClass(scope, provider) };
}

type Cluster = ReturnType<typeof controlPlane>["cluster"];

function kubernetes({ name, region, cluster: clusterName, parent }: EksScope, cluster: Cluster, ready: readonly pulumi.Resource[]): k8s.Provider {
  const kubeconfig = pulumi.all([cluster.endpoint, cluster.certificateAuthority]).apply(([endpoint, { data }]) => eksKubeconfig({ cluster: clusterName, region, endpoint, authority: data }));
  return new k8s.Provider(`${name}-kubernetes`, { kubeconfig, enableServerSideApply: true }, { parent, dependsOn: [...ready] });
}

export const storageClassName = "dr-gp3";

/** Encrypted SSDs that may grow, made where the pod is to run. Kept data outlives its claim: a person deletes it. */
function storageClass({ name, parent, lifetime }: EksScope, provider: k8s.Provider): string {
  new k8s.storage.v1.StorageClass(
    `${name}-storage-class`,
    {
      metadata: { name: storageClassName, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "ebs.csi.aws.com",
      parameters: { type: "gp3", encrypted: "true" },
      allowVolumeExpansion: true,
      reclaimPolicy: lifetime === "kept" ? "Retain" : "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    },
    { parent, provider },
  );
  return storageClassName;
}

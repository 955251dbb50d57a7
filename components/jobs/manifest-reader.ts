import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { manifestKinds } from "../../plan/manifests.ts";
import { serviceAccountName } from "../../plan/names.ts";
import { identityLabels, type IdentityPlace } from "./identity-pod.ts";

/**
 * The right to list what somebody declared in the cluster (plan/manifests.ts), for one account. Not secrets: who may list
 * them reads them. A cluster's role carries the namespace in its name, as two regions of one test cluster each have one.
 */
export function manifestReader(name: string, { identity, namespace }: IdentityPlace, options: pulumi.CustomResourceOptions): void {
  const labels = identityLabels(identity);
  const roleName = `${namespace}-${serviceAccountName(identity)}`;
  const role = new k8s.rbac.v1.ClusterRole(
    `${name}-${identity}-reader`,
    { metadata: { name: roleName, labels }, rules: manifestKinds.map(({ group, resources }) => ({ apiGroups: [group], resources: [...resources], verbs: ["list"] })) },
    options,
  );
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-${identity}-reads`,
    {
      metadata: { name: roleName, labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: serviceAccountName(identity), namespace }],
    },
    options,
  );
}

import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import { dataOptions } from "../../component.ts";
import { apart, restrictedPod } from "../../kubernetes/pod.ts";
import type { StorageArgs } from "../store-args.ts";
import { child, type ServerSet } from "./context.ts";
import { headlessName, skipAwait } from "./services.ts";

const dataVolume = "data";
const claimName = (server: string): string => `${dataVolume}-${server}`;

/**
 * The servers' volumes, each a resource of its own under the name by which the StatefulSet looks for it: so it is they
 * that are protected, and the StatefulSet, which holds nothing, can be replaced.
 */
export function claims(set: ServerSet, storage: StorageArgs): readonly k8s.core.v1.PersistentVolumeClaim[] {
  return set.names.map(
    (server) =>
      new k8s.core.v1.PersistentVolumeClaim(
        `${set.prefix}-data-${server}`,
        // Bound when a pod wants it, so that it lies in that pod's zone: nothing to wait for.
        { metadata: { name: claimName(server), namespace: set.place.namespace, labels: set.labels, annotations: skipAwait }, spec: claimSpec(storage) },
        dataOptions(set.parent, set.lifetime),
      ),
  );
}

const claimSpec = ({ className, size }: StorageArgs) => ({ accessModes: ["ReadWriteOnce"], storageClassName: className, resources: { requests: { storage: size } } });

export interface StatefulServers {
  readonly pod: Omit<types.input.core.v1.PodSpec, "affinity">;
  /** Of the pods: what changes here makes new ones. */
  readonly annotations: Record<string, string>;
  /** Absent: nothing of a server is kept. */
  readonly storage?: StorageArgs;
  readonly dependsOn: readonly k8s.core.v1.PersistentVolumeClaim[];
}

/** Like servers under numbers. They come up together: none may wait for another that waits for it. */
export function statefulServers(set: ServerSet, { annotations, dependsOn, pod, storage }: StatefulServers): k8s.apps.v1.StatefulSet {
  const { base, labels, lifetime, names, place, selector } = set;
  // Two servers on one node would break a promise; a drill makes none, and its cluster may be small.
  const affinity = names.length > 1 ? { affinity: apart(selector, lifetime === "kept" ? "required" : "preferred") } : {};
  return new k8s.apps.v1.StatefulSet(
    `${set.prefix}-servers`,
    {
      metadata: { name: base, namespace: place.namespace, labels, annotations: skipAwait },
      spec: {
        serviceName: headlessName(set),
        replicas: names.length,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector },
        // One a time, each after the last is ready.
        updateStrategy: { type: "RollingUpdate" },
        template: { metadata: { labels, annotations }, spec: { ...restrictedPod, ...affinity, ...pod } },
        ...(storage === undefined ? {} : { volumeClaimTemplates: [{ metadata: { name: dataVolume, labels }, spec: claimSpec(storage) }], persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" } }),
      },
    },
    // Volumes grow by their claims; the template cannot be changed, and is looked at by nobody once they are there.
    { ...child(set), deleteBeforeReplace: true, dependsOn: [...dependsOn], ignoreChanges: ["spec.volumeClaimTemplates"] },
  );
}
export const dataMount = (mountPath: string): types.input.core.v1.VolumeMount => ({ name: dataVolume, mountPath });

/** At most one is taken away at a time on purpose: a node's maintenance goes on, and a majority or a replica stays. */
export function budget(set: ServerSet): k8s.policy.v1.PodDisruptionBudget {
  return new k8s.policy.v1.PodDisruptionBudget(`${set.prefix}-budget`, { metadata: { name: set.base, namespace: set.place.namespace, labels: set.labels }, spec: { maxUnavailable: 1, selector: { matchLabels: set.selector } } }, child(set));
}

/** A service account of the set's own, with no right in Kubernetes: nothing here speaks to it. */
export function serviceAccount(set: ServerSet, annotations: types.input.meta.v1.ObjectMeta["annotations"] = {}): k8s.core.v1.ServiceAccount {
  return new k8s.core.v1.ServiceAccount(`${set.prefix}-account`, { metadata: { name: set.base, namespace: set.place.namespace, labels: set.labels, annotations }, automountServiceAccountToken: false }, child(set));
}

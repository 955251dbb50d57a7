import * as k8s from "@pulumi/kubernetes";
import type { EksScope } from "./scope.ts";

/** Of the databases' volumes, which name it. */
export const storageClassName = "dr-gp3";
/** Of whatever names none: above all the volume that a verification restores into. */
const scratchClassName = "dr-gp3-scratch";

/** Encrypted SSDs that may grow, made where the pod is to run. Kept data outlives its claim: a person deletes it. What is
 * scratch is gone with its claim, or every verification would leave a copy of the database behind, and its bill. */
export function storageClasses({ name, parent, lifetime }: EksScope, provider: k8s.Provider): string {
  const common = { provisioner: "ebs.csi.aws.com", parameters: { type: "gp3", encrypted: "true" }, allowVolumeExpansion: true, volumeBindingMode: "WaitForFirstConsumer" };
  new k8s.storage.v1.StorageClass(`${name}-storage-class`, { metadata: { name: storageClassName }, ...common, reclaimPolicy: lifetime === "kept" ? "Retain" : "Delete" }, { parent, provider });
  new k8s.storage.v1.StorageClass(`${name}-scratch-class`, { metadata: { name: scratchClassName, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }, ...common, reclaimPolicy: "Delete" }, { parent, provider });
  return storageClassName;
}

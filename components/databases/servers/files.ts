import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import { secretsWanted } from "../../../plan/config/secret-template.ts";
import { secretsFolder } from "../../../plan/names.ts";
import { restrictedContainer, secretFiles } from "../../kubernetes/pod.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { child, type ServerSet } from "./context.ts";

type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;
type Container = types.input.core.v1.Container;
export type Files = Readonly<Record<string, string>>;

/** The files that a set's pods are given, without any secret. */
export function configMap(set: ServerSet, files: Files): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(`${set.prefix}-files`, { metadata: { name: configMapName(set), namespace: set.place.namespace, labels: set.labels }, data: { ...files } }, child(set));
}
const configMapName = ({ base }: ServerSet): string => `${base}-files`;

/** On the pods: changed files make new pods, one after the other. */
export const filesDigest = (files: Files): Record<string, string> => ({ "blackroad.io/files": createHash("sha256").update(JSON.stringify(Object.entries(files).sort())).digest("hex") });

export const filesFolder = "/etc/dr-files";
export const runFolder = "/run/dr";

export function filesMount(set: ServerSet): { readonly volume: Volume; readonly mount: VolumeMount } {
  return { volume: { name: "files", configMap: { name: configMapName(set), defaultMode: 0o444 } }, mount: { name: "files", mountPath: filesFolder, readOnly: true } };
}

/** What secrets are written into: memory, so that they never reach a disk, and gone with the pod. */
export const memory: { readonly volume: Volume; readonly mount: VolumeMount } = { volume: { name: "run", emptyDir: { medium: "Memory", sizeLimit: "4Mi" } }, mount: { name: "run", mountPath: runFolder } };

/** Writes files with their secrets into memory, before the server starts. A rotated secret needs a restart of the pod. */
export function secretsContainer(image: string, set: ServerSet, { script, files }: { readonly script: string; readonly files: Files }): { readonly container: Container; readonly volumes: Volume[] } {
  const secrets = secretFiles(secretsWanted(Object.values(files)));
  return {
    container: {
      ...restrictedContainer,
      name: "secrets",
      image,
      imagePullPolicy: pullPolicyOf(image),
      command: ["/bin/sh", `${filesFolder}/${script}`, secretsFolder, filesFolder, runFolder, ...Object.keys(files)],
      volumeMounts: [filesMount(set).mount, memory.mount, ...secrets.mounts],
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
    },
    volumes: secrets.volumes,
  };
}

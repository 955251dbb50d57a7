import type { types } from "@pulumi/kubernetes";
import { kubernetesSecret, secretKey, secretsFolder } from "../../plan/names.ts";

type PodSpec = types.input.core.v1.PodSpec;
type Container = types.input.core.v1.Container;
type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;
type Labels = Readonly<Record<string, string>>;

/** The user that everything in the image runs as; the image has it, with `postgres` as its name. */
export const imageUser = 999;

/** What the restricted pod security standard asks of a pod, and no token unless the pod speaks to Kubernetes. */
export const restrictedPod = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: { runAsNonRoot: true, runAsUser: imageUser, runAsGroup: imageUser, fsGroup: imageUser, fsGroupChangePolicy: "OnRootMismatch", seccompProfile: { type: "RuntimeDefault" } },
} as const satisfies Partial<PodSpec>;

/** What it asks of a container; the root file system is read-only, so whatever is written has a volume. */
export const restrictedContainer = {
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
} as const satisfies Partial<Container>;

/** Secrets as files: `/run/secrets/dr/NAME/value`, readable by the pod's group alone. */
export function secretFiles(secrets: readonly string[]): { readonly volumes: Volume[]; readonly mounts: VolumeMount[] } {
  return {
    volumes: secrets.map((name) => ({ name: `secret-${name}`, secret: { secretName: kubernetesSecret(name), defaultMode: 0o440, items: [{ key: secretKey, path: secretKey }] } })),
    mounts: secrets.map((name) => ({ name: `secret-${name}`, mountPath: `${secretsFolder}/${name}`, readOnly: true })),
  };
}

/** A folder that lives as long as the pod; `limit` as Kubernetes writes sizes, e.g. `1Gi`. */
export function scratch(name: string, mountPath: string, limit: string): { readonly volume: Volume; readonly mount: VolumeMount } {
  return { volume: { name, emptyDir: { sizeLimit: limit } }, mount: { name, mountPath } };
}

/** Kubernetes' recommended labels; `app.kubernetes.io/name` and `component` are what selectors match. */
export const labelsOf = (name: string, component: string, more: Labels = {}): Record<string, string> => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
  "app.kubernetes.io/part-of": "blackroad-dr",
  "app.kubernetes.io/managed-by": "pulumi",
  ...more,
});
export const selectorOf = (name: string, component: string): Record<string, string> => ({ "app.kubernetes.io/name": name, "app.kubernetes.io/component": component });

/** Replicas of one selector on different nodes: `required` where two on one node would break a promise. */
export function apart(selector: Record<string, string>, strength: "required" | "preferred"): types.input.core.v1.Affinity {
  const term = { labelSelector: { matchLabels: selector }, topologyKey: "kubernetes.io/hostname" };
  return strength === "required"
    ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
    : { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] } };
}

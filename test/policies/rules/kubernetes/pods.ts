import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { resource } from "../../../harness/policies.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
export const image = `registry.example/blackroad-dr@${digest}`;
export const labels = { "app.kubernetes.io/name": "postgres", "app.kubernetes.io/component": "pg" };

type Props = Readonly<Record<string, unknown>>;

/** A container that every rule lets pass, with what a test changes. */
export const container = (changes: Props = {}, security: Props = {}): Props => ({
  name: "server",
  image,
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] }, ...security },
  ...changes,
});

/** A pod that every rule lets pass. */
export const pod = (changes: Props = {}, security: Props = {}): Props => ({
  automountServiceAccountToken: false,
  serviceAccountName: "pg",
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" }, ...security },
  containers: [container()],
  ...changes,
});

export const statefulSet = (spec: unknown = pod(), more: Props = {}, changes: Partial<ResourceFacts> = {}): ResourceFacts =>
  resource("kubernetes:apps/v1:StatefulSet", { metadata: { name: "pg", namespace: "blackroad-dr" }, spec: { replicas: 2, template: { metadata: { labels }, spec }, ...more } }, { name: "pg", ...changes });

/** Each kind of resource that runs pods, around one pod. */
export const everyKind = (spec: unknown): readonly ResourceFacts[] => [
  resource("kubernetes:core/v1:Pod", { metadata: { labels }, spec }),
  ...["apps/v1:Deployment", "apps/v1:StatefulSet", "apps/v1:DaemonSet", "apps/v1:ReplicaSet", "core/v1:ReplicationController", "batch/v1:Job"].map((type) => resource(`kubernetes:${type}`, { spec: { template: { metadata: { labels }, spec } } })),
  resource("kubernetes:batch/v1:CronJob", { spec: { jobTemplate: { spec: { template: { metadata: { labels }, spec } } } } }),
];

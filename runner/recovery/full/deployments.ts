/** The little of Kubernetes' API that stopping and starting services takes. */
import { z } from "zod";
import type { RunContext } from "../../context.ts";
import { HttpError, type HttpServer } from "../../system/http.ts";

export interface Cluster {
  readonly server: HttpServer;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly report: RunContext["report"];
}

const selectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z.array(z.object({ key: z.string(), operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]), values: z.array(z.string()).default([]) })).default([]),
});
const deploymentSchema = z.object({
  metadata: z.object({ generation: z.number().optional() }).optional(),
  spec: z.object({ selector: selectorSchema.optional() }).optional(),
  status: z.object({
    observedGeneration: z.number().optional(),
    replicas: z.number().optional(),
    availableReplicas: z.number().optional(),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() })).default([]),
  }).optional(),
});
const podsSchema = z.object({ items: z.array(z.object({ status: z.object({ phase: z.string().optional() }).optional() })) });

export interface Deployment {
  /** What is said below is of the newest scale: the controller lags a moment. */
  readonly current: boolean;
  readonly available: number;
  /** Pods that are not on their way out. */
  readonly replicas: number;
  /** By which its pods are listed. */
  readonly selector: string | undefined;
  /** Why it has no more pods, as Kubernetes says it. */
  readonly complaints: readonly string[];
}

const pathOf = ({ namespace }: Cluster, name: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;

const absent = (error: unknown): undefined => {
  if (error instanceof HttpError && error.status === 404) return undefined;
  throw error;
};

/** `undefined` where there is none of this name. */
export async function deploymentOf(cluster: Cluster, name: string): Promise<Deployment | undefined> {
  const { server, signal } = cluster;
  const found = await server.json(deploymentSchema, { path: pathOf(cluster, name), signal }).catch(absent);
  if (found === undefined) return undefined;
  const { metadata, spec, status } = found;
  return {
    current: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
    available: status?.availableReplicas ?? 0,
    replicas: status?.replicas ?? 0,
    selector: spec?.selector === undefined ? undefined : selectorOf(spec.selector),
    // `Progressing` is false when its deadline has passed, `ReplicaFailure` true when pods cannot be made.
    complaints: (status?.conditions ?? []).filter((one) => (one.type === "ReplicaFailure") === (one.status === "True")).map(({ type, message = "" }) => `${type}: ${message}`),
  };
}

/** Whether there is one of this name. */
export async function scale(cluster: Cluster, name: string, replicas: number): Promise<boolean> {
  const { server, signal } = cluster;
  const body = Buffer.from(JSON.stringify({ spec: { replicas } }));
  const asked = await server.text({ method: "PATCH", path: `${pathOf(cluster, name)}/scale`, body, headers: { "content-type": "application/merge-patch+json" }, signal }).catch(absent);
  return asked !== undefined;
}

/**
 * How many pods it has: those too that are told to end, which a deployment does not count, and which may write until
 * they have ended.
 */
export async function podsOf(cluster: Cluster, name: string): Promise<number> {
  const { server, namespace, signal, report } = cluster;
  const deployment = await deploymentOf(cluster, name);
  if (deployment === undefined) return 0;
  const counted = deployment.current ? deployment.replicas : Math.max(1, deployment.replicas);
  if (deployment.selector === undefined) return counted;
  const listed = await server.json(podsSchema, { path: `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(deployment.selector)}`, signal }).catch((error: unknown) => {
    if (!(error instanceof HttpError && error.status === 403)) throw error;
    report({ step: `pods may not be listed, so it is not seen whether those of ${name} have ended: their deployment's own count is taken` });
    return undefined;
  });
  return Math.max(counted, listed?.items.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed").length ?? 0);
}

function selectorOf({ matchLabels, matchExpressions }: z.infer<typeof selectorSchema>): string {
  const words = { In: "in", NotIn: "notin" } as const;
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values }) => (operator === "Exists" ? key : operator === "DoesNotExist" ? `!${key}` : `${key} ${words[operator]} (${values.join(",")})`)),
  ].join(",");
}

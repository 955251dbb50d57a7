import { z } from "zod";
import { waitFor } from "../../runner/system/wait.ts";
import type { KubernetesApi, KubernetesObject } from "./kubernetes.ts";

const state = z.object({ terminated: z.object({ exitCode: z.number() }).optional(), waiting: z.object({ reason: z.string(), message: z.string().optional() }).optional() });
const pods = z.object({
  items: z.array(z.object({
    metadata: z.object({ name: z.string() }),
    status: z.object({ phase: z.string(), podIP: z.string().optional(), containerStatuses: z.array(z.object({ name: z.string(), ready: z.boolean(), state })).default([]), initContainerStatuses: z.array(z.object({ name: z.string(), state })).default([]) }),
  })),
});
const events = z.object({ items: z.array(z.object({ reason: z.string().optional(), message: z.string().optional(), type: z.string().optional() })) });

export interface EndedPod {
  readonly exitCode: number;
  /** Everything that its one container said. */
  readonly log: string;
}

/** Applies an object as it is; what the server refuses, or has something to say about, is an error. */
export async function applyAll(api: KubernetesApi, objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) {
    const { body, status, warnings } = await api.apply(object, { dryRun: false });
    if (status >= 300 || warnings.length > 0) throw new Error(`${object.kind} ${object.metadata.name}: ${JSON.stringify([...warnings, body])}`);
  }
}

const podsOf = async (api: KubernetesApi, namespace: string, selector: string) => pods.parse((await api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)).body).items;

/** What went wrong around pods, as people would look for it. */
async function complaints(api: KubernetesApi, namespace: string): Promise<string> {
  const { items } = events.parse((await api.get(`/api/v1/namespaces/${namespace}/events`)).body);
  return items.filter(({ type }) => type !== "Normal").map(({ message, reason }) => `${reason ?? ""}: ${message ?? ""}`).join("\n");
}

async function logOf(api: KubernetesApi, namespace: string, pod: string, container: string): Promise<string> {
  const { body } = await api.get(`/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}`);
  return typeof body === "string" ? body : JSON.stringify(body, undefined, 2);
}

/** Makes a Job of a template, as a CronJob does, and waits for the end of its one pod. `within`: seconds. */
export async function runJob(api: KubernetesApi, job: KubernetesObject, within: number): Promise<EndedPod> {
  const { name, namespace = "default" } = job.metadata;
  await applyAll(api, [job]);
  try {
    return await waitFor(`the end of the job ${name}`, async () => {
      const [pod] = await podsOf(api, namespace, `batch.kubernetes.io/job-name=${name}`);
      const [container] = pod?.status.containerStatuses ?? [];
      const exitCode = container?.state.terminated?.exitCode;
      return pod !== undefined && container !== undefined && exitCode !== undefined && { exitCode, log: await logOf(api, namespace, pod.metadata.name, container.name) };
    }, { within, every: 0.5 });
  } catch (error) {
    throw new Error(`${String(error)}\n${await complaints(api, namespace)}`, { cause: error });
  }
}

/** Waits until every container of the pods that a selector finds is ready; the pods' addresses. `within`: seconds. */
export async function podsReady(api: KubernetesApi, namespace: string, selector: string, within: number): Promise<readonly string[]> {
  try {
    return await waitFor(`pods with ${selector}`, async () => {
      const found = await podsOf(api, namespace, selector);
      const isReady = found.length > 0 && found.every(({ status }) => status.containerStatuses.length > 0 && status.containerStatuses.every(({ ready }) => ready));
      return isReady && found.flatMap(({ status }) => status.podIP ?? []);
    }, { within, every: 0.5 });
  } catch (error) {
    const found = await podsOf(api, namespace, selector);
    const logs = await Promise.all(found.flatMap(({ metadata, status }) => [...status.initContainerStatuses, ...status.containerStatuses].map(async ({ name }) => `${metadata.name} ${name}: ${await logOf(api, namespace, metadata.name, name)}`)));
    throw new Error([String(error), await complaints(api, namespace), ...logs].join("\n"), { cause: error });
  }
}

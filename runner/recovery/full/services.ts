/** Stops and starts the services of a recovered system, one after the other, and asks for their health. */
import { z } from "zod";
import type { RunContext } from "../../context.ts";
import { readSecret } from "../../config.ts";
import { openHttpServer, type HttpServer } from "../../system/http.ts";
import { waitFor } from "../../system/wait.ts";
import type { FullRecoveryConfig, ServicesConfig } from "./config.ts";

/** Seconds for the pods of one deployment to be available: an image may have to be pulled first. */
const availableWithin = 600;
/** Seconds for pods to end: most services have half a minute to finish what they do. */
const goneWithin = 180;
/** Seconds for a service that has started to say that it is well. */
const healthyWithin = 120;

const deploymentSchema = z.object({ status: z.object({ replicas: z.number().optional(), availableReplicas: z.number().optional() }).optional() });

/** Scales each deployment up and waits until its pods are available, before the next one. */
export async function startServices(context: RunContext, services: ServicesConfig): Promise<string> {
  const server = await clusterOf(services);
  try {
    for (const { name, replicas } of services.deployments) {
      context.report({ step: `starting ${name} × ${replicas}` });
      await scale(server, services, name, replicas, context.signal);
      await waitFor(`${replicas} available pods of ${name}`, async () => ((await deploymentOf(server, services, name, context.signal)).status?.availableReplicas ?? 0) >= replicas, { within: availableWithin, every: 1, signal: context.signal });
    }
  } finally {
    await server.close();
  }
  return services.deployments.map(({ name, replicas }) => `${name} × ${replicas}`).join(", ");
}

/** Stops what would work on data that is about to be replaced, in the reverse order, and waits until it is gone. */
export async function stopServices(context: RunContext, services: ServicesConfig): Promise<string> {
  const server = await clusterOf(services);
  try {
    for (const { name } of services.deployments.toReversed()) {
      await scale(server, services, name, 0, context.signal);
      await waitFor(`the end of ${name}`, async () => ((await deploymentOf(server, services, name, context.signal)).status?.replicas ?? 0) === 0, { within: goneWithin, every: 1, signal: context.signal });
    }
  } finally {
    await server.close();
  }
  return services.deployments.map(({ name }) => name).join(", ");
}

const pathOf = ({ namespace }: ServicesConfig, name: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;

const deploymentOf = (server: HttpServer, services: ServicesConfig, name: string, signal: AbortSignal) => server.json(deploymentSchema, { path: pathOf(services, name), signal });

const scale = (server: HttpServer, services: ServicesConfig, name: string, replicas: number, signal: AbortSignal) =>
  server.text({ method: "PATCH", path: `${pathOf(services, name)}/scale`, body: Buffer.from(JSON.stringify({ spec: { replicas } })), headers: { "content-type": "application/merge-patch+json" }, signal });

async function clusterOf({ url, caFile, tokenFile }: ServicesConfig): Promise<HttpServer> {
  const headers = tokenFile === undefined ? {} : { authorization: `Bearer ${await readSecret(tokenFile, "the token for the cluster")}` };
  return openHttpServer({ name: "Kubernetes", url, caFile, headers });
}

/** Asks every health check until it is answered well. */
export async function checkHealth(context: RunContext, checks: FullRecoveryConfig["health"]): Promise<string> {
  for (const { name, url, caFile } of checks) {
    const server = await openHttpServer({ name, url, caFile });
    try {
      await waitFor(`a good answer of ${name} (${url})`, async () => (await server.text({ path: "", deadline: 10, signal: context.signal })).status < 300, { within: healthyWithin, every: 1, signal: context.signal });
    } finally {
      await server.close();
    }
  }
  return checks.map(({ name }) => `${name} is well`).join(", ");
}

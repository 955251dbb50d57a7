/** Stops and starts the services of a recovered system, one after the other. */
import type { RunContext } from "../../context.ts";
import { readSecret } from "../../config.ts";
import { DrError, messageOf } from "../../errors.ts";
import { openHttpServer, type HttpServer } from "../../system/http.ts";
import { waitFor } from "../../system/wait.ts";
import type { ServicesConfig } from "./config.ts";
import { deploymentOf, podsOf, scale, type Cluster } from "./deployments.ts";

const defaults = { availableWithin: 600, goneWithin: 180 } as const;

/** Scales each deployment up and waits until its pods are available, before the next one. */
export async function startServices(context: RunContext, services: ServicesConfig): Promise<string> {
  await inCluster(context, services, async (cluster) => {
    for (const { name, replicas } of services.deployments) {
      context.report({ step: `starting ${name} × ${replicas}` });
      if (!(await scale(cluster, name, replicas))) throw new DrError({ kind: "failed", what: `there is no deployment ${name} in ${services.namespace}`, where: services.url, todo: "Deploy the services; then start this again: the data stands, and it goes on here." });
      await waited(cluster, `${replicas} available pods of ${name}`, services.availableWithin ?? defaults.availableWithin, async () => {
        const deployment = await deploymentOf(cluster, name);
        if (deployment === undefined) throw new Error("the deployment is gone");
        if (deployment.current && deployment.available >= replicas) return;
        throw new Error([`${deployment.available} are available`, ...deployment.complaints].join("; "));
      });
    }
  });
  return services.deployments.map(({ name, replicas }) => `${name} × ${replicas}`).join(", ");
}

/** Stops what would work on data that is about to be replaced, in the reverse order, and waits until it is gone. */
export async function stopServices(context: RunContext, services: ServicesConfig): Promise<string> {
  await inCluster(context, services, async (cluster) => {
    for (const { name } of services.deployments.toReversed()) {
      context.report({ step: `stopping ${name}` });
      if (!(await scale(cluster, name, 0))) continue; // what was never deployed works on nothing
      await waited(cluster, `the end of ${name}`, services.goneWithin ?? defaults.goneWithin, async () => {
        const left = await podsOf(cluster, name);
        if (left > 0) throw new Error(`${left} pods are still there`);
      });
    }
  });
  return services.deployments.map(({ name }) => name).join(", ");
}

/** Whether none of them has a pod. */
export async function areStopped(context: RunContext, services: ServicesConfig): Promise<boolean> {
  return inCluster(context, services, async (cluster) => {
    for (const { name } of services.deployments) if ((await podsOf(cluster, name)) > 0) return false;
    return true;
  });
}

async function inCluster<T>(context: RunContext, { url, caFile, tokenFile, namespace }: ServicesConfig, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const headers = tokenFile === undefined ? {} : { authorization: `Bearer ${await readSecret(tokenFile, "the token for the cluster")}` };
  const server: HttpServer = await openHttpServer({ name: "Kubernetes", url, caFile, headers });
  try {
    return await work({ server, namespace, signal: context.signal, report: (progress) => context.report(progress) });
  } finally {
    await server.close();
  }
}

/** `look` throws, with what is seen, for as long as it is not so. */
async function waited({ server, namespace, signal }: Cluster, what: string, within: number, look: () => Promise<void>): Promise<void> {
  await waitFor(what, async () => {
    await look();
    return true;
  }, { within, every: Math.min(1, within / 4), signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new DrError({ kind: "failed", what: cause instanceof DrError ? cause.what : messageOf(cause), where: `${server.url}, namespace ${namespace}`, todo: "See what its pods say (`kubectl describe`, `kubectl logs`); then start this again: it goes on here, and what is recovered is kept.", cause });
  });
}

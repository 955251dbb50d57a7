import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { FullRecoveryConfig } from "../../runner/recovery/full/config.ts";

/** Stands for the cluster's interface and for a service's health; the controllers behind it act at once, unless told. */
export interface ServicesCluster {
  readonly url: string;
  /** What was asked that changes something, and each look at the health: `api 2`, `healthz`. */
  readonly asked: string[];
  /** Deployments with what they are scaled to. */
  readonly replicas: Map<string, number>;
  /** Deployments whose pods do not come up, with what Kubernetes says of it. */
  readonly stuck: Map<string, string>;
  /** Pods that are told to end and have not, by deployment. A deployment does not count them. */
  readonly ending: Map<string, number>;
  /** Whether pods may be listed. */
  mayList: boolean;
  /** The status of `healthz`. */
  health: number;
  /** Of a recovery: api × 2, workers × 3, and the health of both. */
  config(more?: { readonly availableWithin?: number; readonly goneWithin?: number; readonly healthyWithin?: number }): FullRecoveryConfig;
  close(): Promise<void>;
}

export async function startServicesCluster(): Promise<ServicesCluster> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const [status, answer] = answerTo(request.method ?? "", new URL(request.url ?? "", "http://cluster"), body);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  const url = `http://127.0.0.1:${bound.port}`;
  const cluster: ServicesCluster = {
    url, asked: [], replicas: new Map([["api", 2], ["workers", 1]]), stuck: new Map(), ending: new Map(), mayList: true, health: 200,
    config: ({ healthyWithin, ...within } = {}) => ({
      services: { url, namespace: "blackroad", deployments: [{ name: "api", replicas: 2 }, { name: "workers", replicas: 3 }], ...within },
      health: [{ name: "the services", url: `${url}/healthz`, ...(healthyWithin === undefined ? {} : { within: healthyWithin }) }],
    }),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  const answerTo = (method: string, { pathname, searchParams }: URL, body: string): readonly [number, unknown] => {
    if (pathname === "/healthz") {
      cluster.asked.push("healthz");
      return [cluster.health, {}];
    }
    if (pathname.endsWith("/pods")) {
      const name = /^app=(\w+)$/.exec(searchParams.get("labelSelector") ?? "")?.[1] ?? "";
      const pods = (cluster.replicas.get(name) ?? 0) + (cluster.ending.get(name) ?? 0);
      return cluster.mayList ? [200, { items: Array.from({ length: pods }, () => ({ status: { phase: "Running" } })) }] : [403, { message: "pods is forbidden" }];
    }
    const name = /deployments\/(\w+)/.exec(pathname)?.[1] ?? "";
    if (!cluster.replicas.has(name)) return [404, { message: `deployments.apps "${name}" not found` }];
    if (method === "PATCH") {
      const { spec: { replicas } } = JSON.parse(body) as { spec: { replicas: number } };
      cluster.replicas.set(name, replicas);
      cluster.asked.push(`${name} ${replicas}`);
    }
    const count = cluster.replicas.get(name) ?? 0;
    const why = cluster.stuck.get(name);
    const conditions = why === undefined ? [{ type: "Available", status: "True", message: "has minimum availability" }] : [{ type: "Progressing", status: "False", message: why }];
    return [200, { metadata: { generation: 1 }, spec: { selector: { matchLabels: { app: name } } }, status: { observedGeneration: 1, replicas: count, availableReplicas: why === undefined ? count : 0, conditions } }];
  };
  return cluster;
}

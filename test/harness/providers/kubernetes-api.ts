import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { expectedGroups } from "./kubernetes.ts";

/** Clusters that the kubeconfig of the simulation knows: one a region, named like it. */
export const clusters = ["us-east-1", "us-west-2", "eu-west-1"] as const;

/**
 * What a program may ask an API server for before it declares anything: whether what the README asks a cluster to
 * have is there. Everything of a cluster that is well set up is; `absent` says which paths are not.
 */
function answerTo(path: string, absent: (path: string) => boolean): object | undefined {
  if (absent(path)) return undefined;
  const parts = path.split("/").filter((part) => part !== "");
  const name = parts.at(-1) ?? "";
  if (path === "/version") return { major: "1", minor: "34", gitVersion: "v1.34.4" };
  if (parts[0] === "api") return { apiVersion: "v1", kind: "Object", metadata: { name }, status: {} };
  const [, group = ""] = parts;
  if (group === "apiextensions.k8s.io") {
    const [plural = "", ...rest] = name.split(".");
    return expectedGroups.has(rest.join(".")) ? { kind: "CustomResourceDefinition", metadata: { name }, spec: { group: rest.join("."), names: { plural } }, status: { conditions: [{ type: "Established", status: "True" }] } } : undefined;
  }
  return { metadata: { name }, status: { conditions: [{ type: "Ready", status: "True" }, { type: "Available", status: "True" }] } };
}

/** A server for each cluster on loopback, and the kubeconfig that leads to them. */
export async function serveClusters(kubeconfig: string, absent: (path: string) => boolean): Promise<void> {
  const served = await Promise.all(
    clusters.map(async (name) => {
      const server = createServer((request, response) => {
        const found = request.method === "GET" ? answerTo(new URL(request.url ?? "/", "http://localhost").pathname, absent) : undefined;
        response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(found ?? { kind: "Status", status: "Failure", reason: "NotFound", code: 404 }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
      return { name, server: `http://127.0.0.1:${bound.port}` };
    }),
  );
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: served.map(({ name, server }) => ({ name, cluster: { server } })),
    contexts: served.map(({ name }) => ({ name, context: { cluster: name, user: "test" } })),
    users: [{ name: "test", user: { token: "simulated" } }],
    "current-context": clusters[0],
  };
  writeFileSync(kubeconfig, JSON.stringify(config)); // JSON is YAML
}

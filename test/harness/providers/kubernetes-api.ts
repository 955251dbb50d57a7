import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { issue, makeAuthority } from "../../../drill/environments/certificates.ts";

/** Clusters that the kubeconfig of the simulation knows: one a region, named like it. */
export const clusters = ["us-east-1", "us-west-2", "eu-west-1"] as const;

const named = (...names: string[]) => ({ items: names.map((name) => ({ metadata: { name } })) });
const resources = (...names: string[]) => ({ resources: names.map((name) => ({ name })) });

/** What a program may ask an API server for before it declares anything, of a cluster that has all that the README asks for. */
const documents: Readonly<Record<string, object>> = {
  "/version": { major: "1", minor: "34", gitVersion: "v1.34.4" },
  "/apis/cert-manager.io/v1": resources("certificates", "issuers", "clusterissuers"),
  "/apis/monitoring.coreos.com/v1": resources("prometheusrules", "servicemonitors", "podmonitors"),
  "/apis/monitoring.coreos.com/v1alpha1": resources("alertmanagerconfigs"),
  "/apis/storage.k8s.io/v1/storageclasses": named("dr-gp3", "gp3-encrypted"),
  "/apis/apps/v1/deployments": named("external-dns"),
};

/** A server for each cluster on loopback, and the kubeconfig that leads to them; `absent` says what they lack. */
export async function serveClusters(folder: string, absent: (path: string) => boolean): Promise<void> {
  const { certificate, key, caFile } = await issue(await makeAuthority(join(folder, "clusters")), { name: "api", hosts: ["localhost", "127.0.0.1"] });
  const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
  const served = await Promise.all(
    clusters.map(async (name) => {
      const server = createServer(tls, (request, response) => {
        const path = new URL(request.url ?? "/", "https://localhost").pathname;
        const found = request.method === "GET" && !absent(path) ? documents[path] : undefined;
        response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(found ?? { kind: "Status", status: "Failure", reason: "NotFound", code: 404 }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
      return { name, server: `https://127.0.0.1:${bound.port}` };
    }),
  );
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: served.map(({ name, server }) => ({ name, cluster: { server, "certificate-authority": caFile } })),
    contexts: served.map(({ name }) => ({ name, context: { cluster: name, user: "test" } })),
    users: [{ name: "test", user: { token: "simulated" } }],
    "current-context": clusters[0],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config)); // JSON is YAML
}

import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { issue, makeAuthority } from "../../drill/environments/certificates.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";
import type { KubernetesConfig } from "../../runner/stores/configuration/config.ts";

/** Resources of a group, and the objects of each by `list` path. */
export interface FakeCluster {
  /** `lists["/apis/apps/v1/deployments"]`: the items; a number: the status that it is refused with. */
  readonly lists: Record<string, unknown[] | number>;
  readonly config: KubernetesConfig;
  /** What was asked, in order, with the `accept` header. */
  readonly asked: { readonly path: string; readonly accept: string | undefined }[];
  /** No list has anything any more. */
  forget(): void;
  close(): Promise<void>;
}

const token = "service-account-token";
const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/api/v1": { configmaps: "ConfigMap", namespaces: "Namespace", services: "Service", secrets: "Secret" },
  "/apis/apps/v1": { deployments: "Deployment", replicasets: "ReplicaSet" },
  "/apis/batch/v1": { cronjobs: "CronJob", jobs: "Job" },
};

/**
 * What Kubernetes' API answers to a reader, as its reference describes it (discovery by APIGroupList and APIResourceList,
 * chunked lists by `limit` and `continue`, names alone by PartialObjectMetadataList). It stands in for a cluster where
 * none is: no admission, no storage.
 */
export async function startFakeCluster(folder: string): Promise<FakeCluster> {
  await makeFolder(folder);
  const certificate = await issue(await makeAuthority(join(folder, "ca")), { name: "kubernetes", hosts: ["localhost", "127.0.0.1"] });
  const tokenFile = join(folder, "token");
  await writeDurably(tokenFile, `${token}\n`, { mode: 0o600 });
  const lists: FakeCluster["lists"] = {};
  const asked: FakeCluster["asked"] = [];
  const answer = (path: string, query: URLSearchParams, accept: string | undefined): readonly [number, unknown] => {
    if (path === "/apis") return [200, { kind: "APIGroupList", groups: Object.keys(kinds).filter((base) => base !== "/api/v1").map((base) => ({ name: base.split("/")[2], versions: [], preferredVersion: { groupVersion: base.replace("/apis/", ""), version: "v1" } })) }];
    const resources = kinds[path];
    if (resources !== undefined) return [200, { kind: "APIResourceList", resources: Object.entries(resources).map(([name, kind]) => ({ name, kind, namespaced: true, verbs: ["get", "list"] })) }];
    const items = lists[path] ?? [];
    if (typeof items === "number") return [items, { kind: "Status", status: "Failure", code: items, message: "refused by the test" }];
    const limit = Number(query.get("limit") ?? items.length);
    const from = Number(query.get("continue") ?? 0);
    const page = items.slice(from, from + limit);
    const names = accept?.includes("PartialObjectMetadataList") === true;
    return [200, { kind: "List", metadata: from + limit < items.length ? { continue: String(from + limit) } : {}, items: names ? page.map((item) => ({ metadata: (item as { metadata: unknown }).metadata })) : page }];
  };
  const server = createServer({ cert: await readFile(certificate.certificate), key: await readFile(certificate.key) }, (request, response) => {
    const url = new URL(request.url ?? "/", "https://localhost");
    asked.push({ path: url.pathname, accept: request.headers.accept });
    const [status, body] = request.headers.authorization === `Bearer ${token}` ? answer(url.pathname, url.searchParams, request.headers.accept) : ([401, { kind: "Status", message: "Unauthorized" }] as const);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return {
    lists, asked,
    forget: () => Object.keys(lists).forEach((path) => (lists[path] = [])),
    config: { url: `https://localhost:${address.port}`, caFile: certificate.caFile, tokenFile },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}

import { readFileSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
import { execCredential } from "./exec-credential.ts";
import type { KubeCluster, KubeContext, KubeUser } from "./kubeconfig.ts";
import { readContext } from "./kubeconfig-file.ts";

/** Asks a cluster's API server for what there is: the document at a path, `undefined` where it answers 404. Reads only. */
export type ClusterApi = (path: string) => Promise<unknown>;

/** Seconds that the API server has for one answer. */
const deadline = 20;

/**
 * The API server of a kubeconfig's context, as the user of that context. Credentials are asked for at the first use.
 * @throws KubeconfigError where the context is not there
 */
export function clusterApiOf(context: string, kubeconfig?: string): ClusterApi {
  const found = readContext(context, kubeconfig);
  let options: Promise<RequestOptions> | undefined;
  return async (path) => {
    options ??= connection(found);
    return ask(found.cluster, path, await options);
  };
}

async function connection({ cluster, user }: KubeContext): Promise<RequestOptions> {
  const ca = content(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const { token, certificate, key } = await credentials(user);
  const serverName = cluster["tls-server-name"];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
    headers: { accept: "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    timeout: deadline * 1_000,
  };
}

interface Credentials {
  readonly token?: string | undefined;
  readonly certificate?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

/** In the order in which kubectl prefers them. */
async function credentials(user: KubeUser): Promise<Credentials> {
  const certificate = content(user["client-certificate-data"], user["client-certificate"]);
  const key = content(user["client-key-data"], user["client-key"]);
  const token = user.token ?? (user.tokenFile === undefined ? undefined : readFileSync(user.tokenFile, "utf8").trim());
  if (certificate !== undefined || token !== undefined || user.exec === undefined || user.exec === null) return { certificate, key, token };
  return execCredential(user.exec);
}

const content = (data: string | undefined, path: string | undefined): Buffer | undefined =>
  data === undefined ? (path === undefined ? undefined : readFileSync(path)) : Buffer.from(data, "base64");

function ask(cluster: KubeCluster, path: string, options: RequestOptions): Promise<unknown> {
  const url = new URL(cluster.server.replace(/\/$/, "") + path);
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown) => reject(new Error(`the cluster's API server at ${cluster.server} ${what}`, { cause }));
    const sent = request(url, options, (response) => {
      const status = response.statusCode ?? 0;
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", (cause) => fail(`broke off: ${cause.message}`, cause));
      response.on("end", () => {
        if (status === 404) resolve(undefined);
        else if (status !== 200) fail(`answers ${status} to GET ${path}${status === 401 || status === 403 ? ": the context's user may not read it" : ""}`);
        else resolve(JSON.parse(text) as unknown);
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`it did not answer within ${deadline} s`)));
    sent.on("error", (cause) => fail(`cannot be reached: ${cause.message}`, cause));
    sent.end();
  });
}

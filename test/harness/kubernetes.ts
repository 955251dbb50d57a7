import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { readContext } from "../../components/foundation/kubeconfig-file.ts";
import { run } from "../../runner/system/process.ts";
import type { Registered } from "./pulumi.ts";

/** An object as Kubernetes takes it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What the server has to say about what it accepts all the same: of pod security, of what is outdated. */
  readonly warnings: readonly string[];
}

export const withoutCluster = "needs a Kubernetes cluster: KUBECONFIG, or DR_TEST_CLUSTER=1 for the one of ../shared/cluster/up";
const minute = 60;

/** The kubeconfig of a cluster that tests may use: the environment's, or one that is started where that is asked for. */
export async function testKubeconfig(): Promise<string | undefined> {
  const given = process.env["KUBECONFIG"];
  if (given !== undefined && given !== "") return given;
  if (process.env["DR_TEST_CLUSTER"] !== "1") return undefined;
  const up = join(import.meta.dirname, "..", "..", "..", "shared", "cluster", "up");
  // Two files of tests may want it at once, and it must be started once.
  const { stdout } = await run("flock", ["--close", join(tmpdir(), "dr-test-cluster.lock"), up], { deadline: 20 * minute, env: { HOME: process.env["HOME"] ?? "/root" } });
  return stdout.trim().split("\n").at(-1);
}

/** A cluster's API server, without kubectl. */
export class KubernetesApi {
  private readonly server: URL;
  private readonly tls: { readonly ca?: string | Buffer; readonly cert?: string | Buffer; readonly key?: string | Buffer; readonly rejectUnauthorized?: boolean };
  private readonly token: string | undefined;

  private constructor(server: URL, tls: KubernetesApi["tls"], token: string | undefined) {
    this.server = server;
    this.tls = tls;
    this.token = token;
  }

  /** By the kubeconfig's current context. */
  static async from(kubeconfig: string): Promise<KubernetesApi> {
    const current = currentContext(load(await readFile(kubeconfig, "utf8")));
    const { cluster, user } = readContext(current, kubeconfig);
    const pem = async (data: string | undefined, file: string | undefined) => (data === undefined ? (file === undefined ? undefined : await readFile(file)) : Buffer.from(data, "base64"));
    const ca = await pem(cluster["certificate-authority-data"], cluster["certificate-authority"]);
    const cert = await pem(user["client-certificate-data"], user["client-certificate"]);
    const key = await pem(user["client-key-data"], user["client-key"]);
    const tls = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }), rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true };
    return new KubernetesApi(new URL(cluster.server), tls, user.token);
  }

  get(path: string): Promise<Answer> {
    return this.ask("GET", path);
  }
  delete(path: string): Promise<Answer> {
    return this.ask("DELETE", path, { propagationPolicy: "Background" }, "application/json");
  }
  /** Makes or changes an object as `kubectl apply --server-side` does; `dryRun`: the server says what it would do. */
  async apply(object: KubernetesObject, options: { readonly dryRun: boolean }): Promise<Answer> {
    const query = new URLSearchParams({ fieldManager: "dr-test", force: "true", fieldValidation: "Strict", ...(options.dryRun ? { dryRun: "All" } : {}) });
    return this.ask("PATCH", `${await this.pathOf(object)}?${query.toString()}`, object, "application/apply-patch+yaml");
  }
  /** A pod as a workload's controller would make it, which pod security refuses where it only warns about workloads. */
  createPod(namespace: string, pod: object): Promise<Answer> {
    return this.ask("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`, pod, "application/json");
  }

  /**
   * Where an object of its kind is.
   * @throws Error where the server knows no such kind
   */
  async pathOf({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject): Promise<string> {
    const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { body } = await this.get(group);
    const resource = resourcesOf(body).find((one) => one.kind === kind && !one.name.includes("/"));
    if (resource === undefined) throw new Error(`the server knows no ${kind} of ${apiVersion}`);
    return `${group}${resource.namespaced ? `/namespaces/${namespace ?? "default"}` : ""}/${resource.name}/${name}`;
  }

  private ask(method: string, path: string, body?: object, type?: string): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { accept: "application/json", ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }), ...(text === undefined || type === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }) };
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.server), { method, headers, ...this.tls, timeout: 30_000 }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(parts).toString()), warnings: warningsOf(response.headers["warning"]) }));
      });
      asked.on("timeout", () => asked.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
      asked.on("error", reject);
      asked.end(text);
    });
  }
}

function currentContext(kubeconfig: unknown): string {
  const current = typeof kubeconfig === "object" && kubeconfig !== null && "current-context" in kubeconfig ? kubeconfig["current-context"] : undefined;
  if (typeof current !== "string") throw new Error("the kubeconfig has no current context");
  return current;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // an error of a proxy, or /readyz
  }
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}
const resourcesOf = (body: unknown): readonly ApiResource[] => (typeof body === "object" && body !== null && "resources" in body && Array.isArray(body.resources) ? (body.resources as readonly ApiResource[]) : []);

/** `299 - "text"`, several after commas. */
const warningsOf = (header: string | undefined): readonly string[] => [...(header ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text);

/** What a program registered with the Kubernetes provider, as the API server would get it. */
export const objectsOf = (registered: readonly Registered[]): readonly KubernetesObject[] =>
  registered.filter(({ type, custom }) => custom && type.startsWith("kubernetes:")).map(({ inputs, type }) => {
    const object = revealed(inputs, type === "kubernetes:core/v1:Secret");
    if (!isObject(object) || !isObject(object["metadata"])) throw new Error(`${type}: no object was registered`);
    return object as unknown as KubernetesObject;
  });

/** `{ secret: VALUE }`, as the harness writes secrets, becomes the value; a volume that is a secret is written alike. */
function revealed(value: unknown, ofSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => revealed(one, ofSecret));
  if (!isObject(value)) return value;
  const [only, ...more] = Object.entries(value);
  if (only?.[0] === "secret" && more.length === 0 && (ofSecret || typeof only[1] === "string")) return only[1];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revealed(one, ofSecret)]));
}
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

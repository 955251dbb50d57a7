import { z } from "zod";
import { manifestKinds } from "../../../plan/manifests.ts";
import { readSecret } from "../../config.ts";
import { DrError } from "../../errors.ts";
import { HttpError, openHttpServer, type HttpServer } from "../../system/http.ts";
import type { KubernetesConfig } from "./config.ts";

const groupList = z.object({ groups: z.array(z.object({ name: z.string(), preferredVersion: z.object({ groupVersion: z.string() }) })) });
const resourceList = z.object({ resources: z.array(z.object({ name: z.string(), kind: z.string(), verbs: z.array(z.string()) })) });
const metadata = z.looseObject({ name: z.string(), namespace: z.string().optional(), ownerReferences: z.array(z.looseObject({ controller: z.boolean().optional() })).optional(), annotations: z.record(z.string(), z.string()).optional() });
const object = z.looseObject({ metadata });
const objectPage = z.object({ metadata: z.object({ continue: z.string().optional() }), items: z.array(object) });
type KubernetesObject = z.infer<typeof object>;

/** Objects of one answer: some hundreds of kilobytes. */
const pageSize = 250;
/** Asks for names without contents: the answer has no `data`. */
const namesOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** What the server adds to an object, and changes without anybody's wish. */
const serverFields = ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "ownerReferences"] as const;
/** Whole copies of an object in its own annotation, and counters. */
const serverAnnotations = ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision", "pv.kubernetes.io/bind-completed", "control-plane.alpha.kubernetes.io/leader"] as const;

export interface Manifests {
  /** By a name like `NAMESPACE/deployments.apps.json`: Kubernetes' lists, as `kubectl apply` takes them. */
  readonly files: ReadonlyMap<string, string>;
  readonly objects: number;
}

/**
 * Every object of the plan's kinds, without what the server adds, in an order that does not change. Secrets are named
 * and never read: where the account may not list them, those that other objects refer to.
 * @throws DrError where a kind cannot be listed: a snapshot that leaves some out in silence would be found out too late
 */
export async function readManifests({ url, caFile, tokenFile }: KubernetesConfig, signal: AbortSignal): Promise<Manifests> {
  const token = await readSecret(tokenFile, "the service account's token");
  const server = await openHttpServer({ name: "Kubernetes", url, caFile, headers: { authorization: `Bearer ${token}` } });
  try {
    const byFile = new Map<string, KubernetesObject[]>();
    const referenced = new Map<string, Set<string>>();
    for (const { path, apiVersion, kind, file } of await listable(server, signal)) {
      for (const found of await listAll(server, path, signal)) {
        if (found.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) continue; // its controller makes it anew
        for (const secret of secretsIn(found)) add(referenced, found.metadata.namespace ?? "", secret);
        const name = `${found.metadata.namespace ?? "_cluster"}/${file}.json`;
        byFile.set(name, [...(byFile.get(name) ?? []), { apiVersion, kind, ...withoutServerFields(found) }]);
      }
    }
    if (byFile.size === 0) throw new DrError({ kind: "failed", what: "the cluster has no object at all", where: url, todo: "See whether the address is the right cluster's." });
    const files = new Map([...byFile].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, items]) => [name, text({ apiVersion: "v1", kind: "List", items: items.sort(byName) })]));
    files.set("secrets.json", text(await secretNames(server, referenced, signal)));
    return { files, objects: [...byFile.values()].reduce((sum, { length }) => sum + length, 0) };
  } finally {
    await server.close();
  }
}

interface Listable {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly file: string;
}

/** The plan's kinds that this cluster has, in the version that it prefers. */
async function listable(server: HttpServer, signal: AbortSignal): Promise<readonly Listable[]> {
  const { groups } = await server.json(groupList, { path: "/apis", signal });
  const found: Listable[] = [];
  for (const { group, resources } of manifestKinds) {
    const apiVersion = group === "" ? "v1" : groups.find(({ name }) => name === group)?.preferredVersion.groupVersion;
    if (apiVersion === undefined) continue;
    const base = group === "" ? "/api/v1" : `/apis/${apiVersion}`;
    const known = (await server.json(resourceList, { path: base, signal })).resources;
    for (const name of resources) {
      const resource = known.find((one) => one.name === name);
      if (resource?.verbs.includes("list") === true) found.push({ path: `${base}/${name}`, apiVersion, kind: resource.kind, file: group === "" ? name : `${name}.${group}` });
    }
  }
  return found;
}

async function listAll(server: HttpServer, path: string, signal: AbortSignal, accept?: string): Promise<KubernetesObject[]> {
  const items: KubernetesObject[] = [];
  let next: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(pageSize), ...(next === undefined ? {} : { continue: next }) });
    const page = await server.json(objectPage, { path: `${path}?${query.toString()}`, signal, ...(accept === undefined ? {} : { headers: { accept } }) });
    items.push(...page.items);
    next = page.metadata.continue === "" ? undefined : page.metadata.continue;
  } while (next !== undefined);
  return items;
}

function withoutServerFields(found: KubernetesObject): KubernetesObject {
  const { metadata: { annotations = {}, ...rest } } = found;
  const more = Object.fromEntries(Object.entries(found).filter(([name]) => name !== "status"));
  const kept = Object.entries(annotations).filter(([name]) => !serverAnnotations.some((one) => one === name));
  const fields = Object.entries(rest).filter(([name]) => !serverFields.some((one) => one === name));
  return { ...more, metadata: { ...Object.fromEntries(fields), name: found.metadata.name, ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }) } };
}

const byName = (a: KubernetesObject, b: KubernetesObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** Sorted keys, so that equal content is equal text. */
function text(value: unknown): string {
  const sorted = (_key: string, inner: unknown): unknown => (inner !== null && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner);
  return `${JSON.stringify(value, sorted, 1)}\n`;
}

function add(names: Map<string, Set<string>>, namespace: string, secret: string): void {
  names.set(namespace, (names.get(namespace) ?? new Set()).add(secret));
}

/** Names of secrets that an object refers to: volumes, variables, pull secrets, certificates. */
export function secretsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): readonly string[] => {
    if (key === "secretName" && typeof inner === "string") return [inner];
    if ((key === "secretKeyRef" || key === "secretRef") && inner !== null && typeof inner === "object" && "name" in inner && typeof inner.name === "string") return [inner.name];
    if (key === "imagePullSecrets" && Array.isArray(inner)) return inner.flatMap((one: unknown) => (one !== null && typeof one === "object" && "name" in one && typeof one.name === "string" ? [one.name] : []));
    return secretsIn(inner);
  });
}

/** By namespace. The right to list secrets is the right to read them, so the shipped role has none. */
async function secretNames(server: HttpServer, referenced: ReadonlyMap<string, ReadonlySet<string>>, signal: AbortSignal): Promise<{ readonly known: "listed" | "referenced"; readonly names: Record<string, string[]> }> {
  const written = (names: ReadonlyMap<string, ReadonlySet<string>>) => Object.fromEntries([...names].map(([namespace, secrets]): [string, string[]] => [namespace, [...secrets].sort()]));
  try {
    const listed = new Map<string, Set<string>>();
    for (const { metadata: { name, namespace = "" } } of await listAll(server, "/api/v1/secrets", signal, namesOnly)) add(listed, namespace, name);
    return { known: "listed", names: written(listed) };
  } catch (error) {
    if (error instanceof HttpError && error.status === 403) return { known: "referenced", names: written(referenced) };
    throw error;
  }
}

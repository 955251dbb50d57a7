import { z } from "zod";
import { ArgumentError } from "../component.ts";
import type { Exposure } from "../topology.ts";
import type { ClusterApi } from "./cluster-api.ts";

export type { ClusterApi } from "./cluster-api.ts";

export interface ExpectedArgs {
  readonly api: ClusterApi;
  /** For the message: the context. */
  readonly cluster: string;
  /** `load-balancer` needs external-dns. */
  readonly exposure: Exposure;
  /** Those that volumes are asked from. Default: any will do. */
  readonly storageClasses?: readonly string[];
}

/** Kinds that components declare and that only an operator in the cluster understands: `RESOURCE.GROUP`. */
interface ExpectedKind {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly from: string;
}

const certManager = "cert-manager signs the servers' certificates: install it (https://cert-manager.io/docs/installation), then make the issuer of the stack's configuration";
const prometheusOperator = "the Prometheus operator takes alerts and scrape targets: install kube-prometheus-stack, or the operator alone (https://prometheus-operator.dev/docs/getting-started/installation)";

const kinds: readonly ExpectedKind[] = [
  { group: "cert-manager.io", version: "v1", resource: "certificates", from: certManager },
  { group: "monitoring.coreos.com", version: "v1", resource: "prometheusrules", from: prometheusOperator },
  { group: "monitoring.coreos.com", version: "v1", resource: "servicemonitors", from: prometheusOperator },
  { group: "monitoring.coreos.com", version: "v1alpha1", resource: "alertmanagerconfigs", from: prometheusOperator },
];

/** What is missing of what a cluster must have before anything is declared in it, each with how to get it. */
export async function missingIn({ api, exposure, storageClasses }: ExpectedArgs): Promise<readonly string[]> {
  const found = await Promise.all([...kinds.map((kind) => missingKind(api, kind)), missingStorage(api, storageClasses), exposure.kind === "load-balancer" ? missingExternalDns(api) : undefined]);
  return found.flat().filter((problem) => problem !== undefined);
}

/**
 * Await it before the first component: a kind that the cluster does not know fails in the middle of `up`, with half of
 * the region declared.
 * @throws ArgumentError where the cluster lacks something
 */
export async function requireExpected(args: ExpectedArgs): Promise<void> {
  const missing = await missingIn(args);
  if (missing.length > 0) throw new ArgumentError(`what belongs into the cluster ${args.cluster}`, missing);
}

const resources = z.object({ resources: z.array(z.object({ name: z.string() })) });

/** By discovery, which everybody who is let in may read; the definitions themselves only administrators may. */
async function missingKind(api: ClusterApi, { group, version, resource, from }: ExpectedKind): Promise<string | undefined> {
  const document = await api(`/apis/${group}/${version}`);
  const isThere = document !== undefined && resources.parse(document).resources.some(({ name }) => name === resource);
  return isThere ? undefined : `${resource}.${group}/${version} is missing: ${from}`;
}

const list = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
const namesOf = (document: unknown): readonly string[] => (document === undefined ? [] : list.parse(document).items.map(({ metadata }) => metadata.name));

async function missingStorage(api: ClusterApi, wanted: readonly string[] = []): Promise<readonly string[]> {
  const there = namesOf(await api("/apis/storage.k8s.io/v1/storageclasses"));
  if (there.length === 0) return ["a storage class is missing: databases need volumes; install the cloud's CSI driver (on EKS the add-on aws-ebs-csi-driver) and declare a class of encrypted SSDs"];
  return wanted.filter((name) => !there.includes(name)).map((name) => `the storage class ${name} is missing; there are: ${there.join(", ")}. Declare it, or name another one in the stack's configuration`);
}

async function missingExternalDns(api: ClusterApi): Promise<string | undefined> {
  const there = namesOf(await api("/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dexternal-dns"));
  return there.length > 0 ? undefined : "external-dns is missing: servers are exposed by load balancers, whose names it writes into the private zone; install it (https://kubernetes-sigs.github.io/external-dns) with its label app.kubernetes.io/name=external-dns";
}

/** Where the jobs of a region find the stores and the object stores, and how a network policy lets them go there. */
import { readsObjects, type DrServers, type Server } from "../../plan/config/dr-json.ts";
import { tellsPeople } from "../../plan/config/dr-notifications.ts";
import { serversOf, type ServerName } from "../../plan/identity-needs.ts";
import type { IdentityName } from "../../plan/identities.ts";
import type { BackendName } from "../../plan/types.ts";
import { publicAddresses, type Allowance, type Peer } from "../kubernetes/network.ts";

/**
 * The servers of the jobs' own region, never another region's: the same jobs run in every region, and each does its
 * work only where the server that it asks is the store's leader. All are pods of the jobs' own namespace, by their names
 * inside the cluster, but what is run by somebody else over HTTPS: behind a load balancer's address no policy sees a pod.
 */
export interface RegionServers {
  /** `PostgresCluster.endpoints`. */
  readonly postgres: {
    /** This region's leader, or else a replica of it. */
    readonly local: Server;
    /** pgBackRest's TLS server beside this region's leader. */
    readonly pgbackrest: Server;
    /** Kubernetes secret with `tls.crt`, `tls.key` and `ca.crt` of the jobs, for both. */
    readonly clientSecret: string;
  };
  /** `HOST:PORT` of each server of the region (`RedisReplication.servers`). */
  readonly redis: readonly string[];
  /** `https://HOST:PORT` (`VaultCluster.address`). Absent: the operator runs none, and its jobs are not declared. */
  readonly vault?: string;
  /** Absent: likewise. */
  readonly vectors?: VectorServers;
  /** `http://HOST:PORT`, and the namespace that it runs in. Absent: likewise. */
  readonly prometheus?: {
    readonly url: string;
    readonly namespace: string;
    /** Its volume. A snapshot is a folder in it, so the job must see it: Prometheus has to run in the jobs' own namespace,
     * with its interface for snapshots on. Absent: no snapshot is made. */
    readonly data?: PrometheusData;
  };
  /** The API of the region's cluster, whose manifests are kept: where its servers are (a policy sees addresses, not the
   * service's name) and their port. Absent: the manifests are not kept. */
  readonly kubernetes?: { readonly networks: readonly string[]; readonly port: number };
}

/** Every node of Qdrant, or the one host of Pinecone's index, with their schemes. */
export type VectorServers = NonNullable<DrServers["vectors"]>;
const vectorAddresses = (vectors: VectorServers): readonly string[] => (vectors.kind === "qdrant" ? vectors.nodes : [vectors.host]);

/** A key of a Kubernetes secret that somebody else makes in the jobs' namespace. */
export interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

/** The services' bucket, whose objects are copied. */
export interface ObjectsSource {
  readonly endpoint: string;
  readonly bucket: string;
  /** Only what is under it. Default: the whole bucket. */
  readonly prefix?: string;
  /** In AWS's shared credentials format; of a token that reads this bucket and no other. The jobs never write to it, and
   * the backups' own tokens do not open it: a thief of either has not the other. */
  readonly credentials: SecretKey;
}

/** Who is told of a failed backup, and of the first good one after it. */
export interface Notifications {
  readonly alertmanager?: { readonly url: string; readonly namespace: string };
  /** Whose address is secret. It is called over HTTPS, at any public address. */
  readonly webhook?: SecretKey;
}

/** What besides servers and backends a region's jobs speak to. */
export interface Others {
  readonly objects?: ObjectsSource;
  readonly notifications?: Notifications;
}

export interface PrometheusData {
  /** Name of the PersistentVolumeClaim. */
  readonly claim: string;
  /** As whom Prometheus runs, who owns its files. Default: the operator's, 1000 and 2000. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** How a backend's object store is reached. */
export interface ObjectStore {
  /** Host, or `host:port`, TLS always: `ACCOUNT.r2.cloudflarestorage.com`, `s3.us-west-2.amazonaws.com`. */
  readonly endpoint: string;
  /** Default: every public address, as an object store's addresses change. A private endpoint is safer (for S3, one of
   * AWS's token service belongs to it): nothing else of the internet can then be reached with what a job holds. */
  readonly peer?: Peer;
  /** Name of a secret like those of plan/secrets.ts, in AWS's shared credentials format. Default: R2's token, and for
   * S3 none: the pod's own role, where nothing could be stolen from a file. Only a private store (a test) needs it. */
  readonly credentialsSecret?: string;
  /** Kubernetes secret with the authority that signs the endpoint's certificate, in `ca.crt`. Default: the image's
   * authorities; only a private object store (a test) needs one. */
  readonly authority?: string;
}
export type ObjectStores = Readonly<Partial<Record<BackendName, ObjectStore>>>;

const httpsPort = 443;
const addressOf = (text: string): Server | undefined => {
  const match = /^(?:https?:\/\/)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?\/?$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const port = match[3] === undefined ? (text.startsWith("http://") ? 80 : httpsPort) : Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: match[1], port } : undefined;
};

/**
 * The server behind `HOST:PORT` or an address.
 * @throws RangeError where it is none: check with `reachProblems` first
 */
export function serverAt(text: string): Server {
  const server = addressOf(text);
  if (server === undefined) throw new RangeError(`${text} is no address of a server`);
  return server;
}

/** What is wrong with where things are. */
export function reachProblems(servers: Partial<RegionServers>, stores: ObjectStores, needed: readonly BackendName[], { objects, notifications }: Others = {}): readonly string[] {
  const listed: readonly (readonly [string, string])[] = [
    ...(servers.redis ?? []).map((text) => ["servers.redis", text] as const),
    ...(servers.vault === undefined ? [] : [["servers.vault", servers.vault] as const]),
    ...(servers.vectors === undefined ? [] : vectorAddresses(servers.vectors)).map((text) => ["servers.vectors", text] as const),
    ...(servers.prometheus === undefined ? [] : [["servers.prometheus", servers.prometheus.url] as const]),
    ...(notifications?.alertmanager === undefined ? [] : [["notifications.alertmanager", notifications.alertmanager.url] as const]),
  ];
  return [
    ...listed.filter(([, text]) => addressOf(text) === undefined).map(([field, text]) => `${field}: ${JSON.stringify(text)} is no HOST:PORT`),
    ...(servers.kubernetes?.networks.length === 0 ? ["servers.kubernetes: no network is named; leave the field out where the manifests are not kept"] : []),
    ...(servers.redis?.length === 0 ? ["servers.redis: the region has no server of Redis"] : []),
    ...(servers.vectors !== undefined && vectorAddresses(servers.vectors).length === 0 ? ["servers.vectors: no node is named; leave the field out where no vector store runs"] : []),
    ...needed.filter((name) => stores[name] === undefined).map((name) => `objectStores: the plan's backend ${name} is missing`),
    ...Object.entries(stores).flatMap(([name, { endpoint }]) => endpointProblems(`objectStores.${name}`, endpoint)),
    ...(objects === undefined ? [] : endpointProblems("objects", objects.endpoint)),
  ];
}

const endpointProblems = (field: string, endpoint: string): readonly string[] =>
  /:\/\//.test(endpoint) || addressOf(endpoint) === undefined ? [`${field}.endpoint: ${JSON.stringify(endpoint)} is no host, or host:port, without a scheme`] : [];

/** Every server that an identity talks to, and the object stores: nothing else is reachable from its pods. */
export function egressOf(identity: IdentityName, servers: Partial<RegionServers>, stores: ObjectStores, others: Others = {}): readonly Allowance[] {
  const toServers = serversOf(identity).flatMap((name) => allowancesTo(name, servers));
  const toStores = Object.values(stores).map(({ endpoint, peer = publicAddresses }): Allowance => ({ to: [peer], ports: [serverAt(endpoint).port] }));
  const seen = new Set<string>();
  return [...toServers, ...toStores, ...toOthers(identity, others)].filter((allowance) => {
    const key = JSON.stringify(allowance);
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

function toOthers(identity: IdentityName, { objects, notifications }: Others): readonly Allowance[] {
  const { alertmanager, webhook } = tellsPeople(identity) ? (notifications ?? {}) : {};
  return [
    ...(objects === undefined || !readsObjects(identity) ? [] : [{ to: [publicAddresses], ports: [serverAt(objects.endpoint).port] }]),
    ...(alertmanager === undefined ? [] : [{ to: [{ kind: "namespace", namespace: alertmanager.namespace } as const], ports: [serverAt(alertmanager.url).port] }]),
    ...(webhook === undefined ? [] : [{ to: [publicAddresses], ports: [httpsPort] }]),
  ];
}

function allowancesTo(name: ServerName, { postgres, redis = [], vault, vectors, prometheus, kubernetes }: Partial<RegionServers>): readonly Allowance[] {
  switch (name) {
    case "postgres":
      return postgres === undefined ? [] : [toPods("postgres", postgres.local)];
    case "pgbackrest":
      return postgres === undefined ? [] : [toPods("postgres", postgres.pgbackrest)];
    case "redis":
      return redis.map((text) => toPods("redis", serverAt(text)));
    case "vault":
      return vault === undefined ? [] : [toPods("vault", serverAt(vault))];
    case "vectors":
      // What somebody else runs is on the internet, behind the port of HTTPS.
      return (vectors === undefined ? [] : vectorAddresses(vectors)).map(serverAt).map((server) => (server.port === httpsPort ? { to: [publicAddresses], ports: [httpsPort] } : toPods("qdrant", server)));
    case "prometheus":
      return prometheus === undefined ? [] : [{ to: [{ kind: "namespace", namespace: prometheus.namespace }], ports: [serverAt(prometheus.url).port] }];
    case "kubernetes":
      return kubernetes === undefined ? [] : [{ to: kubernetes.networks.map((cidr): Peer => ({ kind: "addresses", cidr })), ports: [kubernetes.port] }];
  }
}

/**
 * The application's pods, at that port alone. A policy sees pods, but on EKS the service's address besides, and only
 * where what the policy asks for is in the service's own selector (amazon-network-policy-controller-k8s,
 * `getMatchingServiceClusterIPs`): so nothing but a label that selectors have may stand here.
 */
const toPods = (application: string, { port }: Server): Allowance => ({ to: [{ kind: "pods", selector: { "app.kubernetes.io/name": application } }], ports: [port] });

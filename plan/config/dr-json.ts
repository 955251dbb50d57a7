/** The runner's configuration file (`dr.json`, schema in runner/config.ts) of an identity in a region. */
import type { IdentityName } from "../identities.ts";
import { opensVault, r2AccessOf, rolesOf, serversOf, writtenBackends } from "../identity-needs.ts";
import { shortLivedPrefixes } from "../layout.ts";
import { keyAlias, pgbackrestPath, secretFile, serviceAccountName, stanza, vaultSealKey } from "../names.ts";
import { postgresSecret, postgresUser, r2Secret, redisSecret, repositorySecret, runnerSecret, servicesDatabase, vectorsSecret } from "../secrets.ts";
import type { Backend, BackendName, Plan } from "../types.ts";
import { notificationsEntry, type DrNotifications } from "./dr-notifications.ts";

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** The servers that an identity may be sent to. */
export interface DrServers {
  /** `local`: this region's leader, or else a replica of it; `pgbackrest`: the TLS server beside the leader. */
  readonly postgres?: { readonly local: Server; readonly pgbackrest: Server };
  /** The region's, in any order: whichever of them is the primary is backed up. */
  readonly redis?: readonly Server[];
  /** `https://HOST:PORT` of whichever of the region's is ready. Absent: the operator runs none. */
  readonly vault?: string;
  /** Every node of Qdrant, or the one host of Pinecone's index, with their schemes. */
  readonly vectors?: { readonly kind: "qdrant"; readonly nodes: readonly string[] } | { readonly kind: "pinecone"; readonly index: string; readonly host: string; readonly changedField?: string };
  /** Absent where its data is not mounted: nothing could be read of a snapshot. */
  readonly prometheus?: { readonly url: string };
  /** The API of the cluster that the job runs in. */
  readonly kubernetes?: true;
}

/** What is kept of the configuration besides the cluster's manifests. */
export interface DrConfiguration {
  /** Git repositories, by URLs. */
  readonly repositories: readonly { readonly name: string; readonly source: string }[];
  /** Buckets in which Pulumi keeps states, read with the pod's own role. */
  readonly states: readonly { readonly name: string; readonly endpoint: string; readonly region: string; readonly bucket: string }[];
}

/** How a backend's object store is reached. */
export interface DrObjectStore {
  /** Host, or `host:port`; TLS always. */
  readonly endpoint: string;
  /** A file in AWS's shared credentials format. Default: R2's token for `r2`; the pod's own role for `s3`. */
  readonly credentialsFile?: string;
  /** The authority that signs the endpoint's certificate. Default: the system's. */
  readonly caFile?: string;
}

/** The services' own bucket, whose copy the plan has in another provider's backend. */
export interface DrObjectsBucket extends DrObjectStore {
  readonly bucket: string;
  /** Only what is under it. Default: the whole bucket. */
  readonly prefix?: string;
  readonly region?: string;
  readonly credentialsFile: string;
  /** Of an account that may write there, for a recovery. */
  readonly recoveryCredentialsFile?: string;
}

export interface DrJson {
  readonly plan: Plan;
  /** Whose file it is: what it names, and whether it may write, follows from it. */
  readonly identity: IdentityName;
  /** Of the same region, every one that the identity needs (`serversOf`). */
  readonly servers: DrServers;
  /** Of every backend that jobs write to, or of those alone that a recovery shall look at. */
  readonly objectStores: Readonly<Partial<Record<BackendName, DrObjectStore>>>;
  /** Absent where objects are not copied; told to those alone who copy, verify or recover them. */
  readonly objects?: DrObjectsBucket;
  /** Told to those alone who keep it. */
  readonly configuration?: DrConfiguration;
  /** Told to those who back up: nothing else is told of. */
  readonly notifications?: DrNotifications;
}

/** Where `dr` is told to find it in a container, and where it may write. */
export const drJsonFolder = "/etc/dr";
export const drJsonName = "dr.json";
export const drJsonPath = `${drJsonFolder}/${drJsonName}`;
export const workFolder = "/var/lib/dr";
/** A folder of ours in it: Kubernetes gives volumes to root, an `emptyDir` so that everybody may write to it. */
const workDirectory = `${workFolder}/work`;
/** The jobs' certificate for PostgreSQL's servers: `ca.crt`, `tls.crt`, `tls.key`. */
export const postgresTlsFolder = "/run/secrets/dr-postgres-tls";

/** The authority of Redis's certificates. */
export const redisTlsFolder = "/run/secrets/dr-redis-tls";
/** The same of Vault's, and the token of the account by which Vault knows a job, made for Vault alone. */
export const vaultTlsFolder = "/run/secrets/dr-vault-tls";
/** The authority of Qdrant's certificates; Pinecone's are the public's. */
export const vectorsTlsFolder = "/run/secrets/dr-vectors-tls";
export const vaultTokenFolder = "/run/secrets/dr-vault-token";
/** What opens the services' bucket, and where a webhook's address stands. */
export const objectsFolder = "/run/secrets/dr-objects";
export const objectsCredentialsFile = `${objectsFolder}/credentials`;
/** Vault's method of login by such tokens, where `vault auth enable kubernetes` puts it. */
const vaultLoginMount = "kubernetes";
/** Where the job that snapshots Prometheus sees its data. */
export const prometheusFolder = "/prometheus";
/** Where Kubernetes puts the account's token and its own authority, in a pod that asks for them. */
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
const redisAuthorityFile = `${redisTlsFolder}/ca.crt`;

/** Identities whose credentials can only read; a verification writes down what it found. */
const readOnly: ReadonlySet<IdentityName> = new Set(["exporter", "restore"]);
const objectsReaders: ReadonlySet<IdentityName> = new Set(["all", "objects", "verify", "restore"]);
export const readsObjects = (identity: IdentityName): boolean => objectsReaders.has(identity);

/**
 * The file's text. It holds no secret: those are files, and only those of the identity are there.
 * @throws RangeError where a server that the identity needs, or every object store, is missing
 */
export function drJson(input: DrJson): string {
  const { identity, plan } = input;
  const stores = writtenBackends(plan).flatMap((backend) => {
    const store = input.objectStores[backend.name];
    return store === undefined ? [] : [backendEntry(plan, backend, store, identity)];
  });
  if (stores.length === 0) throw new RangeError(`dr.json of ${identity} names no object store`);
  const config = {
    plan: plan.name,
    workDirectory,
    passphraseFile: secretFile(runnerSecret),
    backends: stores,
    postgres: postgresEntry(input),
    redis: redisEntry(input),
    vault: vaultEntry(input),
    vectors: vectorsEntry(input),
    metrics: metricsEntry(input),
    configuration: configurationEntry(input),
    archive: archiveEntry(input),
    objects: readsObjects(identity) ? input.objects : undefined,
    notifications: notificationsEntry(identity, input.notifications),
    readOnly: readOnly.has(identity),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function backendEntry(plan: Plan, backend: Backend, store: DrObjectStore, identity: IdentityName) {
  const token = backend.kind === "r2" ? secretFile(r2Secret(r2AccessOf(identity))) : undefined;
  return {
    kind: "s3",
    name: backend.name,
    endpoint: store.endpoint,
    region: backend.region,
    bucket: backend.bucket,
    shortLived: shortLivedEntry(plan, backend),
    caFile: store.caFile,
    credentialsFile: store.credentialsFile ?? token,
    quotaBytes: backend.quota,
    pgbackrest: { path: pgbackrestPath, cipherPassFile: secretFile(repositorySecret(backend.name)) },
  };
}

/** Where a lock is by prefix, the bucket is the same one, and nothing is to be parted. */
function shortLivedEntry(plan: Plan, backend: Backend) {
  const { shortLived } = backend;
  if (shortLived === undefined || shortLived.bucket === backend.bucket) return undefined;
  return { bucket: shortLived.bucket, prefixes: shortLivedPrefixes(plan, backend) };
}

function postgresEntry({ plan, identity, servers }: DrJson) {
  const { postgres: role } = rolesOf(identity);
  if (role === undefined) return undefined;
  if (servers.postgres === undefined) throw new RangeError(`dr.json of ${identity} needs PostgreSQL's address`);
  const { local, pgbackrest } = servers.postgres;
  return {
    stanza,
    host: local.host,
    port: local.port,
    user: postgresUser(plan, role),
    database: servicesDatabase(plan),
    passwordFile: secretFile(postgresSecret(role)),
    // The servers take no connection that is not encrypted.
    caFile: `${postgresTlsFolder}/ca.crt`,
    pgbackrestServer: serversOf(identity).includes("pgbackrest")
      ? { host: pgbackrest.host, port: pgbackrest.port, caFile: `${postgresTlsFolder}/ca.crt`, certFile: `${postgresTlsFolder}/tls.crt`, keyFile: `${postgresTlsFolder}/tls.key` }
      : undefined,
  };
}

/** Every server of the region: after a failover another one than the first is the primary. */
function redisEntry({ identity, servers }: DrJson) {
  const { redis: role } = rolesOf(identity);
  if (role === undefined) return undefined;
  const { redis = [] } = servers;
  if (redis.length === 0) throw new RangeError(`dr.json of ${identity} needs Redis's address`);
  return { servers: redis, user: role, passwordFile: secretFile(redisSecret(role)), caFile: redisAuthorityFile };
}

function metricsEntry({ identity, servers: { prometheus } }: DrJson) {
  return identity !== "metrics" || prometheus === undefined ? undefined : { url: prometheus.url, dataDirectory: prometheusFolder };
}

function configurationEntry({ identity, servers, configuration }: DrJson) {
  if (identity !== "config" || (servers.kubernetes === undefined && configuration === undefined)) return undefined;
  return {
    repositories: configuration?.repositories,
    kubernetes: servers.kubernetes === undefined ? undefined : { url: "https://kubernetes.default.svc", caFile: `${accountFolder}/ca.crt`, tokenFile: `${accountFolder}/token` },
    states: configuration?.states.map((state) => ({ kind: "s3", ...state })),
  };
}

/** A snapshot is made with the key that opens everything. */
function vectorsEntry({ identity, servers: { vectors } }: DrJson) {
  if (vectors === undefined || !serversOf(identity).includes("vectors")) return undefined;
  const apiKeyFile = secretFile(vectorsSecret("full"));
  return vectors.kind === "qdrant" ? { ...vectors, caFile: `${vectorsTlsFolder}/ca.crt`, apiKeyFile } : { ...vectors, apiKeyFile };
}

/**
 * The role in Vault is called as the job's account is, which it is for. No local copies: a pod's disk goes with it, and
 * a volume would hold the job to its zone, whose loss would then end Vault's backups (docs/decisions.md).
 */
function vaultEntry({ identity, plan, servers: { vault } }: DrJson) {
  if (opensVault(identity)) return { seal: { type: "awskms", region: sealRegion(plan), key: keyAlias(plan, vaultSealKey) } };
  if (vault === undefined || !serversOf(identity).includes("vault")) return undefined;
  const login = { method: "kubernetes", role: serviceAccountName(identity), mount: vaultLoginMount, tokenFile: `${vaultTokenFolder}/token` };
  return { server: { address: vault, caFile: `${vaultTlsFolder}/ca.crt`, login } };
}

/** Any replica of the key does; the primary region's may be what was lost. */
function sealRegion(plan: Plan): string {
  const region = plan.regions.find(({ role }) => role === "secondary");
  if (region === undefined) throw new RangeError(`the plan ${plan.name} has no secondary region`);
  return region.name;
}

const readsArchive: ReadonlySet<IdentityName> = new Set(["archive", "verify", "restore"]);

/** Reached with the pod's own role, by AWS's own endpoints. */
function archiveEntry({ plan, identity }: DrJson) {
  const archive = plan.backends.find(({ role }) => role === "archive");
  if (archive === undefined || !readsArchive.has(identity)) return undefined;
  const { name, region, bucket } = archive;
  return archive.kind === "glacier-vault" ? { kind: "glacier-vault", name, region, vault: bucket } : { kind: "s3", name, region, bucket, endpoint: `s3.${region}.amazonaws.com` };
}

import type * as pulumi from "@pulumi/pulumi";
import { workFolder } from "../../plan/config/dr-json.ts";
import { backendOf, regionOf } from "../../plan/find.ts";
import { secretsOfIdentity } from "../../plan/identity-needs.ts";
import type { IdentityName } from "../../plan/identities.ts";
import { serviceAccountName } from "../../plan/names.ts";
import { r2Secret } from "../../plan/secrets.ts";
import type { BackendName, Plan } from "../../plan/types.ts";
import { PostgresCluster, type PostgresVersions, type RepositoryAccess } from "../databases/postgres-cluster.ts";
import { RedisReplication } from "../databases/redis-replication.ts";
import { VaultCluster, type VaultFlavour } from "../databases/vault-cluster.ts";
import { VectorStore } from "../databases/vector-store.ts";
import { configName } from "../jobs/identity-pod.ts";
import type { IssuerRef, Topology } from "../topology.ts";
import type { RecoverySource } from "./recovery-environment.ts";

/** One server that comes out of a backup. */
interface RestoredServer {
  /** `REGISTRY/NAME@sha256:DIGEST`. Default: the drill's. */
  readonly image?: string;
  /** Of its volume, as Kubernetes writes sizes; at least twice the store's data. */
  readonly size: string;
}

/** Servers of a drill that come out of the backups. */
export interface RestoredStores {
  /** The plan's region that the drill's cluster stands in: keys and secrets are that region's. */
  readonly region: string;
  /** Class of encrypted SSDs whose volumes are deleted with their claims. */
  readonly storageClass: string;
  /** Those that are left out are not declared. */
  readonly servers: {
    readonly postgres?: RestoredServer & {
      /** An id of the catalog, a label of pgBackRest, or `latest`. Default: `latest`. */
      readonly from?: string;
      /** ISO 8601 with a zone. Default: as far as the archive reaches. */
      readonly targetTime?: string;
      /** The one that is read; among the source's backends. */
      readonly repository: BackendName;
      readonly versions?: PostgresVersions;
    };
    readonly redis?: RestoredServer & {
      readonly version: string;
      /** An id of the catalog, or `latest`. Default: `latest`. */
      readonly backup?: string;
    };
    readonly vault?: RestoredServer & {
      readonly version: string;
      readonly flavour?: VaultFlavour;
      /** May decrypt with the seal key's replica in the region. */
      readonly sealRoleArn: pulumi.Input<string>;
    };
    readonly vectors?: RestoredServer & {
      readonly version: string;
      /** As many as were backed up: snapshots are per node (facts F11). Default: the component's. */
      readonly nodes?: number;
    };
  };
}

export interface RestorePlace {
  readonly plan: Plan;
  readonly identity: IdentityName;
  readonly namespace: string;
  readonly image: string;
  readonly issuer: IssuerRef;
  readonly source: RecoverySource;
  readonly stores?: RestoredStores;
}

/** Declares the restored servers, each in the drill's namespace alone. */
export function restoreStores(name: string, place: RestorePlace, options: pulumi.ComponentResourceOptions): readonly pulumi.Resource[] {
  const { plan, namespace, issuer, stores } = place;
  if (stores === undefined) return [];
  const { region, storageClass, servers } = stores;
  const common = ({ image = place.image, size }: RestoredServer) => ({ plan, topology: isolated(plan, region, namespace), region, issuer, image, storage: { className: storageClass, size }, lifetime: "ephemeral" as const });
  const { postgres, redis, vault, vectors } = servers;
  return [
    ...(postgres === undefined ? [] : [new PostgresCluster(`${name}-postgres`, { ...common(postgres), ...postgresPart(place, postgres) }, options)]),
    ...(redis === undefined ? [] : [new RedisReplication(`${name}-redis`, { ...common(redis), version: redis.version, role: { kind: "restored", namespace, backup: redis.backup ?? "latest", access: recoveryAccess(place) } }, options)]),
    ...(vault === undefined
      ? []
      : [new VaultCluster(`${name}-vault`, { ...common(vault), version: vault.version, sealRoleArn: vault.sealRoleArn, ...(vault.flavour === undefined ? {} : { flavour: vault.flavour }), role: { kind: "restored", namespace } }, options)]),
    ...(vectors === undefined ? [] : [new VectorStore(`${name}-vectors`, { ...common(vectors), kind: "qdrant", version: vectors.version, ...(vectors.nodes === undefined ? {} : { nodes: vectors.nodes }), role: { kind: "restored", namespace } }, options)]),
  ];
}

type RestoredPostgres = NonNullable<RestoredStores["servers"]["postgres"]>;

function postgresPart({ plan, identity, namespace, source }: RestorePlace, { from = "latest", targetTime, repository, versions }: RestoredPostgres) {
  const roleArn = source.roleArn === undefined ? {} : { roleArn: source.roleArn };
  return {
    role: { kind: "restored" as const, namespace, from, repository, ...(targetTime === undefined ? {} : { targetTime }) },
    repositories: source.backends.filter(({ name }) => name === repository).map((backend) => repositoryAccess(plan, backend)),
    identity: { serviceAccount: serviceAccountName(identity), ...roleArn },
    ...(versions === undefined ? {} : { versions }),
  };
}

function repositoryAccess(plan: Plan, { name, endpoint, credentialsSecret, authority }: RecoverySource["backends"][number]): RepositoryAccess {
  const secret = credentialsSecret ?? (backendOf(plan, name)?.kind === "r2" ? r2Secret("reader") : undefined);
  return { backend: name, endpoint, credentials: secret === undefined ? { kind: "web-identity" } : { kind: "secret-file", secret }, ...(authority === undefined ? {} : { authority }) };
}

const recoveryAccess = ({ plan, identity }: RestorePlace) => ({ configMap: configName(identity), workDirectory: workFolder, serviceAccount: serviceAccountName(identity), secrets: secretsOfIdentity(plan, identity) });

/** The drill's own namespace, and no other region: `.invalid` is a name that nothing resolves (RFC 2606). */
const isolated = (plan: Plan, region: string, namespace: string): Topology => ({
  exposure: { kind: "cluster" },
  places: plan.regions.map(({ name }) => (name === region ? { region: name, namespace, domain: `${namespace}.svc.cluster.local` } : { region: name, namespace, domain: `${name}.invalid` })),
});

/** What is wrong with the servers, besides what their components say themselves: those would have declared half by then. */
export function restoredProblems({ region, servers }: RestoredStores, { plan, backends }: { readonly plan: Plan; readonly backends: readonly BackendName[] }): readonly (string | false)[] {
  const repository = servers.postgres?.repository;
  return [
    regionOf(plan, region) === undefined && `stores.region: ${region} is no region of the plan`,
    Object.keys(servers).length === 0 && "stores.servers: none is named; leave stores out",
    repository !== undefined && !backends.includes(repository) && `stores.servers.postgres.repository: ${repository} is not among the source's backends`,
  ];
}

/**
 * Every file that PostgreSQL's servers, etcd and the proxy of one region are given in the cluster. Secrets are marks in
 * them (see secret-template.ts): the text may stand in a ConfigMap. The drill on one machine calls the same generators.
 */
import { pgbackrestPath, stanza } from "../names.ts";
import { patroniRestSecret, postgresSecret, postgresUser, repositorySecret, type PostgresRole } from "../secrets.ts";
import { ports } from "../servers.ts";
import type { Backend, Plan } from "../types.ts";
import type { Size } from "../units.ts";
import { etcdConf, type EtcdMember } from "./etcd.ts";
import { haproxyCfg, type ProxiedMember } from "./haproxy.ts";
import { patroniYml } from "./patroni.ts";
import { archiveCommand, hostDataDirectory, hostPgbackrestConf, jobsCommonName, pgbackrestConf, type PgbackrestRepository } from "./pgbackrest.ts";
import { postgresParameters, type ClusterMember } from "./postgresql.ts";
import { secretMark } from "./secret-template.ts";
import type { ToolVersion } from "./version.ts";

/** A database server, and where every region reaches it. */
export interface PlacedMember extends ClusterMember {
  /** Of its pod and the service in front of it, e.g. `pg-0`. */
  readonly server: string;
  readonly host: string;
}

export interface RepositoryPlace {
  readonly backend: Backend;
  /** Position of the backend in the plan, from 1: the same number in every region's file. */
  readonly index: number;
  readonly endpoint: string;
  readonly credentials: { readonly kind: "secret-file"; readonly secret: string } | { readonly kind: "web-identity" };
  readonly caFile: string | undefined;
}

/** Where things are in a container; whoever mounts them takes them from here. */
export const postgresPaths = {
  /** In memory: configurations with their secrets, and the passwords that Patroni writes for the server's tools. */
  run: "/run/dr",
  socket: "/var/run/postgresql",
  /** The volume; the data is in a folder of it. */
  volume: hostDataDirectory.slice(0, hostDataDirectory.lastIndexOf("/")),
  data: hostDataDirectory,
  pgbackrest: "/var/spool/pgbackrest",
  etcdVolume: "/var/lib/etcd",
  tls: "/etc/dr-tls",
} as const;

/** What cert-manager writes, of one certificate. */
export const certificateFiles = (name: string) => ({ caFile: `${postgresPaths.tls}/${name}/ca.crt`, certFile: `${postgresPaths.tls}/${name}/tls.crt`, keyFile: `${postgresPaths.tls}/${name}/tls.key` });

/** Common names: by them etcd and pgBackRest tell who is who, as the authority signs for others too. */
export const commonNames = { etcd: "dr-etcd", patroni: "dr-patroni", jobs: jobsCommonName } as const;
/** Of the certificates. */
export const certificateNames = { etcd: "server", etcdPeer: "peer", postgres: "postgres", patroni: "patroni", pgbackrest: "pgbackrest", health: "health" } as const;

/** Who is the superuser over the Unix socket: the image's own account. */
const account = "postgres";
/** Files of each kind; Patroni's is one a server. */
export const patroniFile = (server: string): string => `patroni-${server}.yml`;
export const pgbackrestFile = hostPgbackrestConf.slice(hostPgbackrestConf.lastIndexOf("/") + 1);
export const etcdFile = "etcd.yml";
export const haproxyFile = "haproxy.cfg";
/** Puts the secrets in; see secret-template.ts. */
export const secretScriptFile = "secrets.sh";

export interface DatabaseFiles {
  readonly plan: Plan;
  readonly scope: string;
  readonly versions: { readonly postgres: ToolVersion; readonly patroni: ToolVersion; readonly pgbackrest: ToolVersion };
  /** Of every region. */
  readonly members: readonly PlacedMember[];
  /** Those that are declared here. */
  readonly here: readonly PlacedMember[];
  readonly etcdHosts: readonly string[];
  /** `undefined`: a restored database, which archives nowhere. */
  readonly repositories: readonly RepositoryPlace[] | undefined;
  readonly networks: readonly string[];
  readonly sharedBuffers: Size;
  /** Of pgBackRest, at once. */
  readonly processMax: number;
}

/** Those with secrets' marks in them, by name. */
export function databaseFiles(input: DatabaseFiles): Readonly<Record<string, string>> {
  const patroni = input.here.map((member) => [patroniFile(member.server), patroniOf(input, member)] as const);
  return Object.fromEntries(input.repositories === undefined ? patroni : [...patroni, [pgbackrestFile, pgbackrestOf(input, input.repositories)] as const]);
}

function patroniOf(input: DatabaseFiles, member: PlacedMember): string {
  const { plan, repositories, versions } = input;
  const credentials = (role: PostgresRole) => ({ name: postgresUser(plan, role), password: secretMark(postgresSecret(role)) });
  const tls = certificateFiles(certificateNames.patroni);
  return patroniYml({
    plan,
    version: versions.patroni,
    scope: input.scope,
    member,
    members: input.members,
    address: member.host,
    listenAddress: "0.0.0.0",
    restPort: ports.postgres.rest,
    postgresPort: ports.postgres.server,
    etcdHosts: input.etcdHosts,
    dataDirectory: postgresPaths.data,
    binDirectory: `/usr/lib/postgresql/${versions.postgres.major}/bin`, // as Debian has it
    socketDirectory: postgresPaths.socket,
    pgpassFile: `${postgresPaths.run}/pgpass`,
    parameters: postgresParameters({
      plan,
      version: versions.postgres.major,
      archiveCommand: repositories === undefined ? "off" : archiveCommand(hostPgbackrestConf, stanza),
      listenAddresses: ["0.0.0.0"],
      port: ports.postgres.server,
      socketDirectory: postgresPaths.socket,
      sharedBuffers: input.sharedBuffers,
      tls: certificateFiles(certificateNames.postgres),
    }),
    superuser: credentials("superuser"),
    replication: credentials("replication"),
    rewind: credentials("rewind"),
    restCredentials: { name: "patroni", password: secretMark(patroniRestSecret) },
    localAccounts: [account],
    networks: input.networks,
    tls,
  });
}

function pgbackrestOf({ plan, processMax, versions }: DatabaseFiles, repositories: readonly RepositoryPlace[]): string {
  return pgbackrestConf({
    plan,
    version: versions.pgbackrest,
    stanza,
    repositories: repositories.map(repository),
    pg: { path: postgresPaths.data, port: ports.postgres.server, socketPath: postgresPaths.socket, user: postgresUser(plan, "superuser") },
    server: { address: "0.0.0.0", port: ports.postgres.pgbackrest, ...certificateFiles(certificateNames.pgbackrest), clients: [commonNames.jobs] },
    spool: postgresPaths.pgbackrest,
    lockPath: `${postgresPaths.pgbackrest}/lock`,
    logPath: postgresPaths.pgbackrest,
    processMax,
  });
}

const repository = ({ backend, caFile, credentials, endpoint, index }: RepositoryPlace): PgbackrestRepository => ({
  kind: "s3",
  index,
  path: pgbackrestPath,
  endpoint,
  bucket: backend.bucket,
  region: backend.region,
  cipherPass: secretMark(repositorySecret(backend.name)),
  access: credentials.kind === "web-identity" ? { kind: "web-identity" } : { kind: "key", key: secretMark(credentials.secret, "aws_access_key_id"), keySecret: secretMark(credentials.secret, "aws_secret_access_key") },
  ...(caFile === undefined ? {} : { caFile }),
});

/** Where the authority of a private object store is mounted. */
export const authorityFile = (backend: string): string => `${postgresPaths.tls}/store-${backend}/ca.crt`;

export interface EtcdFiles {
  readonly plan: Plan;
  readonly version: ToolVersion;
  readonly member: EtcdMember;
  readonly members: readonly EtcdMember[];
  /** Keeps the members of a restored database's etcd out of production's. */
  readonly clusterToken: string;
}

/** No secret stands in it. */
export const etcdFiles = (input: EtcdFiles): Readonly<Record<string, string>> => {
  const server = certificateFiles(certificateNames.etcd);
  const { certFile, keyFile } = certificateFiles(certificateNames.etcdPeer);
  return {
    [etcdFile]: etcdConf({
      ...input,
      listenAddress: "0.0.0.0",
      metricsPort: ports.etcd.metrics,
      dataDirectory: `${postgresPaths.etcdVolume}/data`,
      tls: { ...server, version: input.version, peerClient: { certFile, keyFile }, allowedPeers: [commonNames.etcd] },
    }),
  };
};

export const etcdMember = (name: string, host: string): EtcdMember => ({ name, address: host, peerPort: ports.etcd.peer, clientPort: ports.etcd.client });

/** No secret stands in it. `podOf`: the name of a server's own pod inside the region's cluster. */
export const proxyFiles = (plan: Plan, region: string, members: readonly PlacedMember[], podOf: (server: string) => string): Readonly<Record<string, string>> => ({
  [haproxyFile]: haproxyCfg({
    plan,
    region,
    members: members.map(({ host, name, region: of, server }): ProxiedMember => ({
      name, region: of, host, postgresPort: ports.postgres.server, restPort: ports.postgres.rest, pgbackrestPort: ports.postgres.pgbackrest,
      ...(of === region ? { pgbackrestHost: podOf(server) } : {}),
    })),
    ports: ports.postgresProxy,
    caFile: certificateFiles(certificateNames.health).caFile,
    certificateFile: certificateFiles(certificateNames.health).certFile,
  }),
});

/** pgbackrest.conf: the archiver's (all repositories) and the one of a single repository, from the plan. */
import { scheduleOf } from "../find.ts";
import { intervalOf } from "../schedule.ts";
import type { Plan } from "../types.ts";
import { days } from "../units.ts";
import { atLeast, formatVersion, type ToolVersion } from "./version.ts";

interface RepositoryBase {
  /** Position of the backend in the configuration, from 1: the same number in every file. */
  readonly index: number;
  /** Folder inside the bucket, or of this machine: `/pgbackrest`. */
  readonly path: string;
  /** Passphrase of aes-256-cbc; stands in the file, never in arguments. */
  readonly cipherPass: string;
  /** The credentials can only read: nothing that writes is configured. */
  readonly readOnly?: boolean;
}

export interface S3Repository extends RepositoryBase {
  readonly kind: "s3";
  /** Host, or `host:port`; TLS always. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly caFile?: string;
  readonly access: S3Access;
}

export type S3Access =
  /** `token`: of temporary credentials. */
  | { readonly kind: "key"; readonly key: string; readonly keySecret: string; readonly token?: string }
  /** The pod's own role: pgBackRest reads `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE` in its environment, neither
   * of which is a secret, and asks AWS's token service for temporary credentials. */
  | { readonly kind: "web-identity" };

export interface PosixRepository extends RepositoryBase {
  readonly kind: "posix";
}

export type PgbackrestRepository = S3Repository | PosixRepository;

export interface PgbackrestConf {
  readonly plan: Plan;
  readonly version: ToolVersion;
  readonly stanza: string;
  /** All of them for the archiver; one alone for whatever must not depend on the others. */
  readonly repositories: readonly PgbackrestRepository[];
  readonly pg: {
    readonly path: string;
    readonly port?: number;
    readonly socketPath?: string;
    readonly user?: string;
    /** Another host, on which pgBackRest's TLS server runs beside PostgreSQL. Default: this one. */
    readonly host?: PgbackrestHost;
  };
  /** Makes the file serve `pgbackrest server` too, by which other hosts back this database up. */
  readonly server?: PgbackrestServer;
  /** Folders of this configuration alone: two that share them disturb each other. */
  readonly spool: string;
  readonly lockPath: string;
  readonly logPath: string;
  readonly processMax: number;
}

/** A file of a key must be the user's own or root's, and not open to others: pgBackRest refuses it otherwise. */
interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a job tells pgBackRest about the database's host. From 2.37 on. */
export interface PgbackrestHost extends TlsFiles {
  /** One of the names in the certificate there; an address will not do. */
  readonly name: string;
  readonly port: number;
  /** Where the host's own pgbackrest.conf is. The server is asked to use it: the file of the job means nothing there. */
  readonly configFile: string;
}

export interface PgbackrestServer extends TlsFiles {
  /** An address; `*` is every one. */
  readonly address: string;
  readonly port: number;
  /** Common names of the certificates that may work on the stanza. */
  readonly clients: readonly string[];
}

/** Common name of the jobs' certificate, which pgBackRest's TLS server lets in. */
export const jobsCommonName = "dr-jobs";
/** Where a database's host in the cluster has its pgbackrest.conf; jobs name it to the TLS server there. */
export const hostPgbackrestConf = "/run/dr/pgbackrest.conf";

/** Where PostgreSQL's data is there: in a folder of the volume, as a volume's own may hold `lost+found`. */
export const hostDataDirectory = "/var/lib/postgresql/data/pgdata";

/** How much WAL is fetched ahead of the replay (facts F15: the fetch is the slow part, and it goes in parallel). */
const archiveGetQueue = "512MiB";

type Lines = readonly (readonly [key: string, value: string | number | undefined])[];

/**
 * The text of pgbackrest.conf. Without `archive-push-queue-max`: that option reports success to PostgreSQL and then
 * drops WAL (facts F8). `io-timeout` is short for the archiver alone, where a dead repository would hold up the
 * healthy one; a single repository has nobody to hold up, and a slow answer there is no failure.
 */
export function pgbackrestConf(input: PgbackrestConf): string {
  const { plan, pg, version } = input;
  const global: Lines = [
    ["spool-path", input.spool],
    ["lock-path", input.lockPath],
    ["log-path", input.logPath],
    ["log-level-file", "info"],
    ["log-level-console", "off"],
    ["process-max", input.processMax],
    ["compress-type", "zst"],
    ["compress-level", 3],
    ["archive-async", "y"],
    ["archive-get-queue-max", archiveGetQueue],
    // How long a backup waits for its own WAL: a push beside a dead repository takes this long (facts F8).
    ["archive-timeout", wholeSeconds(Math.max(60, plan.postgres.archiveTimeout + 2 * plan.postgres.pushBoundDegraded))],
    ["start-fast", "y"],
    // A resumed backup rewrites objects that a lock on the bucket protects (facts F3).
    ["resume", "n"],
    ...input.repositories.flatMap((repository) => [...repositoryLines(repository, version), ...retentionLines(repository, plan)]),
    ...serverLines(input),
  ];
  const push: Lines = [["io-timeout", plan.postgres.ioTimeout]];
  const stanza: Lines = [
    ["pg1-path", pg.path],
    ["pg1-port", pg.port],
    ["pg1-socket-path", pg.socketPath],
    ["pg1-user", pg.user],
    ...(pg.host === undefined ? [] : hostLines(pg.host, version)),
  ];
  return [section("global", global), section("global:archive-push", push), section(input.stanza, stanza)].join("\n");
}

function serverLines({ server, stanza, version }: PgbackrestConf): Lines {
  if (server === undefined) return [];
  requireTls(version);
  return [
    ["tls-server-address", server.address],
    ["tls-server-port", server.port],
    ["tls-server-ca-file", server.caFile],
    ["tls-server-cert-file", server.certFile],
    ["tls-server-key-file", server.keyFile],
    ...server.clients.map((client) => ["tls-server-auth", `${client}=${stanza}`] as const),
  ];
}

function hostLines(host: PgbackrestHost, version: ToolVersion): Lines {
  requireTls(version);
  return [
    ["pg1-host", host.name],
    ["pg1-host-type", "tls"],
    ["pg1-host-port", host.port],
    ["pg1-host-config", host.configFile],
    ["pg1-host-ca-file", host.caFile],
    ["pg1-host-cert-file", host.certFile],
    ["pg1-host-key-file", host.keyFile],
  ];
}

function requireTls(version: ToolVersion): void {
  if (!atLeast(version, 2, 37)) throw new RangeError(`pgBackRest ${formatVersion(version)} has no TLS server; 2.37 is the first that has`);
}

function repositoryLines(repository: PgbackrestRepository, version: ToolVersion): Lines {
  const name = `repo${repository.index}`;
  return [
    [`${name}-path`, repository.path],
    ...(repository.kind === "s3" ? s3Lines(repository, name) : [[`${name}-type`, "posix"] as const]),
    [`${name}-cipher-type`, "aes-256-cbc"],
    [`${name}-cipher-pass`, repository.cipherPass],
    [`${name}-bundle`, atLeast(version, 2, 39) ? "y" : undefined],
    // Block incremental is stable from 2.46 on, and only inside bundles.
    [`${name}-block`, atLeast(version, 2, 46) ? "y" : undefined],
  ];
}

function s3Lines(repository: S3Repository, name: string): Lines {
  const { host, port } = splitEndpoint(repository.endpoint);
  return [
    [`${name}-type`, "s3"],
    [`${name}-s3-endpoint`, host],
    [`${name}-storage-port`, port],
    [`${name}-s3-bucket`, repository.bucket],
    [`${name}-s3-region`, repository.region],
    // A bucket's name need not resolve as a host: R2 and private servers take it in the path, and S3 still does.
    [`${name}-s3-uri-style`, "path"],
    ...accessLines(repository.access, name),
    [`${name}-storage-ca-file`, repository.caFile],
  ];
}

function accessLines(access: S3Access, name: string): Lines {
  if (access.kind === "web-identity") return [[`${name}-s3-key-type`, "web-id"]];
  return [
    [`${name}-s3-key`, access.key],
    [`${name}-s3-key-secret`, access.keySecret],
    [`${name}-s3-token`, access.token],
  ];
}

function retentionLines(repository: PgbackrestRepository, plan: Plan): Lines {
  if (repository.readOnly === true) return [];
  const name = `repo${repository.index}`;
  const { fullDays, archiveFulls } = pgbackrestRetention(plan);
  return [
    [`${name}-retention-full-type`, "time"],
    [`${name}-retention-full`, fullDays],
    [`${name}-retention-archive-type`, "full"],
    [`${name}-retention-archive`, archiveFulls],
  ];
}

/**
 * What pgBackRest is told to keep. It counts WAL in full backups: to recover any moment of the last
 * `walRetention`, a full backup must lie before it, hence one more than fit into that time.
 */
export function pgbackrestRetention(plan: Plan): { readonly fullDays: number; readonly archiveFulls: number } {
  const full = scheduleOf(plan, "postgres-full");
  if (full === undefined) throw new RangeError("the plan has no schedule postgres-full: pgBackRest's retention follows from it");
  const kept = full.retention === "forever" ? days(9_999_999) : full.retention;
  return { fullDays: Math.max(1, Math.ceil(kept / days(1))), archiveFulls: Math.max(1, Math.ceil(plan.recovery.walRetention / intervalOf(full))) + 1 };
}

/** `host:port`, `[v6]:port` or a host alone; a scheme in front is dropped. */
export function splitEndpoint(endpoint: string): { readonly host: string; readonly port: number | undefined } {
  const url = new URL(`https://${endpoint.replace(/^https:\/\//, "")}`);
  return { host: url.hostname, port: url.port === "" ? undefined : Number(url.port) };
}

/** pgBackRest 2.45 takes fractions of a second, but older and newer ones differ; nothing here needs them. */
const wholeSeconds = (duration: number): number => Math.ceil(duration);

function section(name: string, entries: Lines): string {
  const body = entries.flatMap(([key, value]) => {
    if (value === undefined) return [];
    const text = String(value);
    if (text === "" || /[\r\n]/.test(text) || text.trim() !== text) throw new RangeError(`${key} in pgbackrest.conf must be one line without spaces at its ends`);
    return [`${key}=${text}`];
  });
  return `[${name}]\n${body.join("\n")}\n`;
}

/** What PostgreSQL runs for each finished segment. */
export const archiveCommand = (configFile: string, stanza: string, program = "pgbackrest"): string => `${program} --config=${configFile} --stanza=${stanza} archive-push %p`;

/** The parameters of a PostgreSQL server, from the plan; Patroni and a server alone take the same. */
import type { Plan } from "../types.ts";
import { mib } from "../units.ts";

export interface PostgresParameters {
  readonly plan: Plan;
  /** Major version, e.g. 15. */
  readonly version: number;
  /** What pushes a segment to every repository; see `archiveCommand`. `off`: a restored server, which must not write
   * into the archive of the one that it comes from: recoveries would follow its timeline from then on. */
  readonly archiveCommand: string;
  readonly listenAddresses: readonly string[];
  readonly port: number;
  readonly socketDirectory: string;
  /** Encrypts connections where the files are given. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
  readonly maxConnections?: number;
  /** In bytes. */
  readonly sharedBuffers?: number;
  /** See `synchronousStandbyNames`; empty: nobody is waited for. */
  readonly synchronousStandbyNames?: string;
}

/** Parameter → value, as text; `undefined` never. */
export type ParameterMap = Readonly<Record<string, string>>;

/** Segments that the primary keeps besides those that slots hold: enough for a standby that reconnects at once. */
const keptSegments = 8;

export function postgresParameters(input: PostgresParameters): ParameterMap {
  const { plan } = input;
  const settings = plan.postgres;
  return {
    listen_addresses: input.listenAddresses.join(","),
    port: String(input.port),
    unix_socket_directories: input.socketDirectory,
    max_connections: String(input.maxConnections ?? 200),
    ...(input.sharedBuffers === undefined ? {} : { shared_buffers: megabytes(input.sharedBuffers) }),
    password_encryption: "scram-sha-256",
    ...tlsParameters(input),
    wal_level: "replica",
    ...(input.archiveCommand === "off" ? { archive_mode: "off" } : { archive_mode: "on", archive_command: input.archiveCommand }),
    archive_timeout: `${Math.max(1, Math.round(settings.archiveTimeout))}s`,
    hot_standby: "on",
    // pg_rewind of a failed primary needs it, checksums or not.
    wal_log_hints: "on",
    wal_compression: "on",
    max_wal_senders: "16",
    max_replication_slots: "16",
    wal_keep_size: megabytes(keptSegments * settings.walSegment),
    // A standby that never comes back must not fill the primary's disk.
    max_slot_wal_keep_size: megabytes(settings.slotWalLimit),
    // A connection to a machine that vanished is given up in time for the lease, not after two hours.
    wal_sender_timeout: `${seconds(settings.leaderLease)}s`,
    wal_receiver_timeout: `${seconds(settings.leaderLease)}s`,
    synchronous_commit: "on",
    synchronous_standby_names: input.synchronousStandbyNames ?? "",
    log_timezone: "Etc/UTC",
    timezone: "Etc/UTC",
    log_checkpoints: "on",
    log_line_prefix: "%m [%p] %q%u@%d %a ",
  };
}

function tlsParameters({ tls }: PostgresParameters): ParameterMap {
  if (tls === undefined) return { ssl: "off" };
  return { ssl: "on", ssl_cert_file: tls.certFile, ssl_key_file: tls.keyFile, ssl_min_protocol_version: "TLSv1.2", ...(tls.caFile === undefined ? {} : { ssl_ca_file: tls.caFile }) };
}

const megabytes = (size: number): string => `${Math.max(1, Math.round(size / mib(1)))}MB`;
const seconds = (duration: number): number => Math.max(1, Math.ceil(duration));

export interface ClusterMember {
  /** Also the standby's `application_name`. */
  readonly name: string;
  readonly region: string;
  readonly role: "primary-region" | "secondary-region";
}

/**
 * `synchronous_standby_names` of one member for the time when it is the leader.
 *
 * Not Patroni's `synchronous_mode`: in it "only last known primary and sync standby are allowed to promote
 * automatically" (patroni/ha.py, `is_healthiest_node`, 3.0.2; docs/replication_modes.rst says the same), and both of
 * those die with the primary region, so nobody would promote in the secondary. Set per member instead: a leader in
 * the primary region waits for one standby, the near one first, then the far one. The member in the secondary
 * region waits for nobody, because after its region's partner is lost it must take writes alone; the plan accepts
 * that. No acknowledged commit is lost when a leader dies: of the standbys that are left, Patroni promotes the one
 * that is furthest, and replication is linear, so that one holds whatever any standby confirmed.
 */
export function synchronousStandbyNames(self: ClusterMember, members: readonly ClusterMember[]): string {
  if (self.role === "secondary-region") return "";
  const others = members.filter((member) => member.name !== self.name);
  const near = others.filter((member) => member.region === self.region);
  const far = others.filter((member) => member.region !== self.region && member.role === "secondary-region");
  const names = [...near, ...far].map((member) => quoteIdentifier(member.name));
  return names.length === 0 ? "" : `FIRST 1 (${names.join(", ")})`;
}

/** A name with a hyphen is no bare identifier: PostgreSQL's grammar of the list wants it in double quotes. */
const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The parameters as the text of postgresql.conf. */
export function postgresqlConf(parameters: ParameterMap): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key} = ${quoteSetting(value)}\n`)
    .join("");
}

/** A value in postgresql.conf or in a recovery setting: quotes are doubled, backslashes too. */
export const quoteSetting = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

export interface HbaInput {
  readonly superuser: string;
  readonly replicationUser: string;
  /** Whether connections over the network must be encrypted. */
  readonly tls: boolean;
  /** Networks that may connect, e.g. `127.0.0.0/8`. */
  readonly networks: readonly string[];
}

/** Name of the ident map by which accounts of this machine become the superuser over the Unix socket. */
export const identMap = "blackroad";

/** pg_hba.conf, line by line: the socket by account, the network by SCRAM. */
export function hbaLines({ superuser, replicationUser, tls, networks }: HbaInput): string[] {
  const host = tls ? "hostssl" : "host";
  return [
    `local all ${superuser} peer map=${identMap}`,
    `local replication ${superuser} peer map=${identMap}`,
    "local all all scram-sha-256",
    `local replication ${replicationUser} scram-sha-256`,
    ...networks.flatMap((network) => [`${host} replication ${replicationUser} ${network} scram-sha-256`, `${host} all all ${network} scram-sha-256`]),
  ];
}

/** pg_ident.conf, line by line. */
export const identLines = (accounts: readonly string[], superuser: string): string[] => [...new Set(accounts)].map((account) => `${identMap} ${account} ${superuser}`);

/** patroni.yml of one member of the PostgreSQL cluster over the regions. */
import type { Plan } from "../types.ts";
import { hbaLines, identLines, synchronousStandbyNames, type ClusterMember, type ParameterMap } from "./postgresql.ts";
import { failoverPriority, stepBackCommand } from "./promotion-order.ts";
import { atLeast, type ToolVersion } from "./version.ts";
import { toYaml, type YamlValue } from "./yaml.ts";

export interface PatroniYml {
  readonly plan: Plan;
  /** Patroni's. */
  readonly version: ToolVersion;
  readonly scope: string;
  readonly member: ClusterMember;
  /** Every member of the cluster, this one too. */
  readonly members: readonly ClusterMember[];
  /** Where the others reach this member's servers. */
  readonly address: string;
  /** Where they listen. Default: the same. */
  readonly listenAddress?: string;
  readonly restPort: number;
  readonly postgresPort: number;
  /** `host:port` of each etcd member. */
  readonly etcdHosts: readonly string[];
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly socketDirectory: string;
  /** Where Patroni writes the passwords that the server's tools read; 0600, outside the data. */
  readonly pgpassFile: string;
  readonly logDirectory?: string;
  /** What `postgresParameters` gave for this member. */
  readonly parameters: ParameterMap;
  readonly superuser: { readonly name: string; readonly password: string };
  readonly replication: { readonly name: string; readonly password: string };
  /** Default: pg_rewind runs as the superuser. */
  readonly rewind?: { readonly name: string; readonly password: string };
  /** For the calls that change something; the health paths ask for none. */
  readonly restCredentials?: { readonly name: string; readonly password: string };
  /** Accounts of the machine that are the superuser over the Unix socket. */
  readonly localAccounts: readonly string[];
  readonly networks: readonly string[];
  /** Patroni's health URLs (`http://HOST:PORT/replica`) of the members in the primary region; see `stepBackCommand`. */
  readonly nearReplicas?: readonly string[];
  readonly tls?: PatroniTls;
}

export interface PatroniTls {
  readonly caFile: string;
  /** Of the REST interface, and what Patroni shows to etcd and to the other members. */
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Parameters that Patroni takes from the store of the cluster alone and passes on the command line
 * (patroni/postgresql/config.py, `CMDLINE_OPTIONS`); in a member's file they have no effect.
 */
const clusterWide = ["wal_level", "hot_standby", "max_connections", "max_wal_senders", "wal_keep_size", "max_prepared_transactions", "max_locks_per_transaction", "track_commit_timestamp", "max_replication_slots", "max_worker_processes", "wal_log_hints"];
/** Patroni derives these from `listen`. */
const ofPatroni = ["listen_addresses", "port", "cluster_name"];

/** Passwords stand in this text: the file is 0600 and belongs to the user that runs Patroni. */
export function patroniYml(input: PatroniYml): string {
  const { address, member, tls } = input;
  const listen = input.listenAddress ?? address;
  const parameters = Object.entries(input.parameters);
  const local = parameters.filter(([name]) => !clusterWide.includes(name) && !ofPatroni.includes(name));
  const common = parameters.filter(([name]) => clusterWide.includes(name));
  return toYaml({
    scope: input.scope,
    name: member.name,
    restapi: {
      listen: `${listen}:${input.restPort}`,
      connect_address: `${address}:${input.restPort}`,
      authentication: input.restCredentials === undefined ? undefined : { username: input.restCredentials.name, password: input.restCredentials.password },
      // `optional`: the health paths answer anybody, whatever changes something asks for a certificate and a password.
      ...(tls === undefined ? {} : { certfile: tls.certFile, keyfile: tls.keyFile, cafile: tls.caFile, verify_client: "optional" }),
    },
    ctl: tls === undefined ? undefined : { cacert: tls.caFile, certfile: tls.certFile, keyfile: tls.keyFile },
    etcd3: { hosts: input.etcdHosts, ...(tls === undefined ? {} : { protocol: "https", cacert: tls.caFile, cert: tls.certFile, key: tls.keyFile }) },
    bootstrap: bootstrap(input, Object.fromEntries(common)),
    postgresql: {
      listen: `${listen}:${input.postgresPort}`,
      connect_address: `${address}:${input.postgresPort}`,
      data_dir: input.dataDirectory,
      bin_dir: input.binDirectory,
      pgpass: input.pgpassFile,
      use_unix_socket: true,
      // For its own look by the replication protocol as well: without, that is `localhost` by TCP, which neither pg_hba nor
      // the server's certificate knows, and a replica never learns its timeline.
      use_unix_socket_repl: true,
      use_pg_rewind: true,
      // A member that cannot be rewound is made anew: its data is the leader's.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      pre_promote: stepBackCommand({ version: input.version, member, nearReplicas: input.nearReplicas ?? [], stampFile: `${input.pgpassFile}.stepped-back` }),
      create_replica_methods: ["basebackup"],
      basebackup: [{ checkpoint: "fast" }],
      authentication: {
        superuser: account(input.superuser, tls),
        replication: account(input.replication, tls),
        rewind: input.rewind === undefined ? undefined : account(input.rewind, tls),
      },
      parameters: { ...Object.fromEntries(local), synchronous_standby_names: synchronousStandbyNames(member, input.members) },
      pg_hba: hbaLines({ superuser: input.superuser.name, replicationUser: input.replication.name, tls: input.parameters["ssl"] === "on", networks: input.networks }),
      pg_ident: identLines(input.localAccounts, input.superuser.name),
    },
    watchdog: { mode: "off" },
    log: input.logDirectory === undefined ? undefined : { dir: input.logDirectory, level: "INFO" },
    tags: { region: member.region, failover_priority: failoverPriority(input.version, member) },
  });
}

/** A password goes to a server that shows the authority's certificate, and to no other. */
const account = ({ name, password }: { readonly name: string; readonly password: string }, tls: PatroniTls | undefined) => ({
  username: name,
  password,
  ...(tls === undefined ? {} : { sslmode: "verify-full", sslrootcert: tls.caFile }),
});

/**
 * Whoever has this section may found the cluster (patroni/ha.py, `bootstrap`). The secondary region's member must not:
 * its stack comes up before the primary's, and the leader would be born in the wrong region.
 */
function bootstrap(input: PatroniYml, common: Readonly<Record<string, string>>): YamlValue | undefined {
  if (input.member.role === "secondary-region") return undefined;
  return { dcs: dynamicConfiguration(input, common), initdb: ["data-checksums", { encoding: "UTF8" }, { locale: "C.UTF-8" }] };
}

/** What all members share. Written once, at the cluster's birth; later changes go through `patronictl edit-config`. */
function dynamicConfiguration({ plan, version, members }: PatroniYml, parameters: Readonly<Record<string, string>>): YamlValue {
  const { leaderLease, loopWait, retryTimeout, maximumLagOnFailover } = plan.postgres;
  // 0: a leader whose server died is replaced at once, not given 300 s to come back. Renamed in 3.0.
  const startTimeout = atLeast(version, 3) ? "primary_start_timeout" : "master_start_timeout";
  return {
    ttl: Math.round(leaderLease),
    loop_wait: Math.round(loopWait),
    retry_timeout: Math.round(retryTimeout),
    maximum_lag_on_failover: Math.round(maximumLagOnFailover),
    [startTimeout]: 0,
    synchronous_mode: false,
    check_timeline: true,
    postgresql: { use_pg_rewind: true, use_slots: true, parameters },
    // Named, or Patroni drops the slot of a member that is away, and with it the WAL that the member will ask for.
    slots: Object.fromEntries(members.map(({ name }) => [slotName(name), { type: "physical" }])),
  };
}

/** The slot that Patroni gives a member (patroni/dcs, `slot_name_from_member_name`). */
export function slotName(member: string): string {
  return member
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, (letter) => (letter === "-" || letter === "." ? "_" : `u${String(letter.codePointAt(0)).padStart(4, "0")}`))
    .slice(0, 63);
}

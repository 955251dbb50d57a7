/** haproxy.cfg of one region: clients find the database's leader and its replicas by Patroni's health paths. */
import type { Plan } from "../types.ts";
import { mib } from "../units.ts";

export interface ProxiedMember {
  readonly name: string;
  readonly region: string;
  /** Where it is reached, and the name in its certificates. */
  readonly host: string;
  readonly postgresPort: number;
  /** Of Patroni's REST interface, over TLS. */
  readonly restPort: number;
  readonly pgbackrestPort: number;
  /** Where pgBackRest's TLS server beside it is reached, which no other region is to reach. Default: `host`. */
  readonly pgbackrestHost?: string;
}

export interface HaproxyPorts {
  /** The leader, whichever region it is in. */
  readonly writer: number;
  /** A replica, this region's first; the leader where no replica is left. */
  readonly reader: number;
  /** This region's leader, or else a replica of it: what a job asks whether its store's leader is here. */
  readonly local: number;
  /** pgBackRest's TLS server beside this region's leader. */
  readonly pgbackrest: number;
  /** HTTPS, for the health checks of DNS failover. */
  readonly health: number;
  /** HTTP, for Prometheus and the pod's own probes. */
  readonly metrics: number;
}

export interface HaproxyCfg {
  readonly plan: Plan;
  /** The region that the proxy stands in. */
  readonly region: string;
  /** Every member of the cluster. */
  readonly members: readonly ProxiedMember[];
  readonly ports: HaproxyPorts;
  /** Default: every address. */
  readonly listenAddress?: string;
  /** The authority of Patroni's certificates. */
  readonly caFile: string;
  /** Certificate of the health endpoint in PEM; its key is beside it, in `FILE.key`. */
  readonly certificateFile: string;
  /** Whether the members' names are asked for again while it runs. Default: yes. `false`: where they stand in the
   * machine's own list of hosts, as on the one machine of a drill, and no name server knows them. */
  readonly followNames?: boolean;
}

/** Says 200 while this region's member is the leader and takes writes, 503 otherwise. */
export const healthPath = "/healthz/writable";
export const metricsPath = "/metrics";
/** Says 200 while the proxy itself runs. */
export const livePath = "/healthz/live";

/** Seconds between two checks of a member, and for its answer over an ocean with TLS. */
const checkEvery = 2;
const checkWithin = 3;
/** After so many failures in a row a member is out; one lost packet is no failover. */
const checksToFall = 2;
/** HAProxy takes a server for healthy until its first check is back: nobody may be sent to it before. */
export const settledAfter = checkEvery + checkWithin;

/**
 * How long an address is kept that name servers do not confirm. HAProxy takes a server away after 30 s without an answer
 * by itself: then the loss of DNS would be the loss of the database. Whether a member serves is for the checks to say.
 */
const keepAddress = "24h";

/** A pooled connection may be idle over night; one whose other end is gone is found by TCP's keep-alive. */
const idle = "24h";

/**
 * The text of haproxy.cfg. Of the REST interface only health paths are asked for: it can also switch over, and nothing
 * of it is passed on. Connections to a leader that is one no more are cut at once, so that no client goes on writing
 * into a server that others have replaced.
 */
export function haproxyCfg(input: HaproxyCfg): string {
  const { members, plan, region } = input;
  const local = members.filter((member) => member.region === region);
  const tracked = local.map((member) => `${serverLine(member, member.postgresPort)} track leader/${member.name} ${cut}`);
  const lag = `${Math.round(plan.postgres.maximumLagOnFailover / mib(1))}MB`;
  return [
    ...common(input.followNames ?? true),
    ...section(`frontend writer`, [...bind(input, "writer"), "default_backend leader"]),
    ...section(`frontend reader`, [...bind(input, "reader"), "use_backend leader if { nbsrv(replicas) eq 0 }", "default_backend replicas"]),
    ...section(`frontend local`, [...bind(input, "local"), "use_backend local_leader if { nbsrv(local_leader) gt 0 }", "default_backend local_members"]),
    ...section(`frontend pgbackrest`, [...bind(input, "pgbackrest"), "default_backend local_pgbackrest"]),
    ...section("backend leader", [...ask("/primary"), ...isPromoted, ...members.map((member) => `${serverLine(member, member.postgresPort)} ${check(input, member)} ${cut}`)]),
    ...section("backend replicas", [
      ...ask(`/replica?lag=${lag}`),
      "http-check expect status 200",
      "balance leastconn",
      "option allbackups",
      ...members.map((member) => `${serverLine(member, member.postgresPort)} ${check(input, member)}${member.region === region ? "" : " backup"}`),
    ]),
    ...section("backend local_leader", tracked),
    ...section("backend local_members", [...ask("/health"), "http-check expect status 200", ...local.map((member) => `${serverLine(member, member.postgresPort)} ${check(input, member)}`)]),
    ...section("backend local_pgbackrest", local.map((member) => `${serverLine({ ...member, host: member.pgbackrestHost ?? member.host }, member.pgbackrestPort)} track leader/${member.name} ${cut}`)),
    ...section("frontend health", [
      "mode http",
      ...bind(input, "health", ` ssl crt ${input.certificateFile} ssl-min-ver TLSv1.2 alpn http/1.1`),
      `http-request return status 200 content-type text/plain string "writable" if { path ${healthPath} } { nbsrv(local_leader) gt 0 }`,
      `http-request return status 503 content-type text/plain string "the leader is not in ${region}" if { path ${healthPath} }`,
      "http-request return status 404",
    ]),
    ...section("frontend metrics", [
      "mode http",
      ...bind(input, "metrics"),
      `http-request return status 200 content-type text/plain string "alive" if { path ${livePath} }`,
      `http-request use-service prometheus-exporter if { path ${metricsPath} }`,
      "http-request return status 404",
    ]),
  ].join("\n");
}

const section = (head: string, lines: readonly string[]): readonly string[] => [head, ...lines.map((line) => `  ${line}`), ""];

const common = (followNames: boolean): readonly string[] => [
  ...section("global", ["log stdout format raw local0 notice", "maxconn 4000"]),
  ...section("defaults", [
    "log global",
    "mode tcp",
    "option clitcpka",
    "option srvtcpka",
    // A member that died is tried until its checks have failed; who meets it then is sent to the next.
    "retries 2",
    "option redispatch 1",
    "timeout connect 4s",
    `timeout client ${idle}`,
    `timeout server ${idle}`,
    "timeout http-request 5s",
    `timeout check ${checkWithin}s`,
    // Another region's name may have no address yet, or a new one after it was built again.
    `default-server inter ${checkEvery}s fall ${checksToFall} rise 1 init-addr last,libc,none${followNames ? " resolvers system" : ""}`,
  ]),
  ...section("resolvers system", ["parse-resolv-conf", "resolve_retries 2", "timeout resolve 1s", "timeout retry 1s", "hold valid 10s", ...["nx", "timeout", "refused", "other"].map((answer) => `hold ${answer} ${keepAddress}`)]),
];

const bind = ({ listenAddress = "", ports }: HaproxyCfg, name: keyof HaproxyPorts, options = ""): readonly string[] => [`bind ${listenAddress}:${ports[name]}${options}`];

const ask = (path: string): readonly string[] => ["option httpchk", `http-check send meth GET uri ${path} ver HTTP/1.1 hdr Host patroni hdr Connection close`];

/**
 * `/primary` says 200 as soon as a member holds the lock; until it is promoted, its state says otherwise, and it takes
 * no writes. It was called `master` until Patroni 4.
 */
const isPromoted: readonly string[] = ["http-check expect status 200", String.raw`http-check expect rstring "\"role\": ?\"(master|primary)\""`];

const serverLine = ({ name, host }: ProxiedMember, port: number): string => `server ${name} ${host}:${port}`;

const check = ({ caFile }: HaproxyCfg, { host, restPort }: ProxiedMember): string => `check port ${restPort} check-ssl verify required ca-file ${caFile} verifyhost ${host} check-sni ${host}`;

const cut = "on-marked-down shutdown-sessions";

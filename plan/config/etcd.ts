/** The configuration file of one member of etcd, the cluster's arbiter: one in each of three regions. */
import type { Plan } from "../types.ts";
import { atLeast, type ToolVersion } from "./version.ts";
import { toYaml } from "./yaml.ts";

export interface EtcdMember {
  readonly name: string;
  /** Where the others reach it: an address or a name. */
  readonly address: string;
  readonly peerPort: number;
  readonly clientPort: number;
}

export interface EtcdConf {
  readonly plan: Plan;
  readonly member: EtcdMember;
  /** Every member, this one too. */
  readonly members: readonly EtcdMember[];
  readonly dataDirectory: string;
  /** Keeps members of another cluster out. */
  readonly clusterToken: string;
  readonly state?: "new" | "existing";
  /** Where it listens, an address. Default: the member's own. */
  readonly listenAddress?: string;
  /** Port of `/health` and `/metrics`, which answer without a certificate: probes have none. Default: no such port. */
  readonly metricsPort?: number;
  readonly tls?: EtcdTls;
}

interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Both sides of every connection show a certificate of the authority. */
export interface EtcdTls extends KeyPair {
  readonly caFile: string;
  /**
   * What the member shows to its peers, with a common name and no host name. A peer holds host names against the
   * address that the connection comes from (client/pkg/transport, `checkCertSAN`), and behind a load balancer or
   * another cluster's gateway that is never the member's. From etcd 3.5 on; before, the server's own is shown.
   */
  readonly peerClient?: KeyPair;
  /**
   * Common names that may be peers; of an authority that signs for others too, theirs must not do. From 3.5.15 on, which
   * Debian 13 has; before, any certificate of the authority does. Clients cannot be told apart so: the gateway, which
   * Patroni speaks to, holds the list against the certificate of its own server, of which it verifies nothing, and never
   * gets through (etcd-io/etcd#15755). Who reaches etcd at all says the network policy.
   */
  readonly allowedPeers?: readonly string[];
  /** etcd's version. */
  readonly version: ToolVersion;
}

/** Milliseconds. Over regions a round trip takes up to 150 ms; etcd asks for about that, and ten times it. */
const heartbeat = 150;

/** YAML for `etcd --config-file`; with it etcd ignores every other argument. */
export function etcdConf(input: EtcdConf): string {
  const { member, plan, tls } = input;
  const scheme = tls === undefined ? "http" : "https";
  const peer = (one: EtcdMember) => `${scheme}://${one.address}:${one.peerPort}`;
  const client = (one: EtcdMember) => `${scheme}://${one.address}:${one.clientPort}`;
  const listening: EtcdMember = { ...member, address: input.listenAddress ?? member.address };
  return toYaml({
    name: member.name,
    "data-dir": input.dataDirectory,
    "listen-peer-urls": peer(listening),
    "listen-client-urls": client(listening),
    "listen-metrics-urls": input.metricsPort === undefined ? undefined : `http://${listening.address}:${input.metricsPort}`,
    "initial-advertise-peer-urls": peer(member),
    "advertise-client-urls": client(member),
    "initial-cluster": input.members.map((one) => `${one.name}=${peer(one)}`).join(","),
    "initial-cluster-token": input.clusterToken,
    "initial-cluster-state": input.state ?? "new",
    "heartbeat-interval": heartbeat,
    // A new leader of etcd must be there well before Patroni's lease ends.
    "election-timeout": Math.min(heartbeat * 10, Math.max(heartbeat * 5, Math.floor((plan.postgres.leaderLease * 1_000) / 5))),
    "auto-compaction-mode": "periodic",
    "auto-compaction-retention": "1h",
    // Patroni speaks to the gateway; etcd 3.4 leaves it off where a file configures it, although the flag's default is on.
    "enable-grpc-gateway": true,
    "client-transport-security": tls === undefined ? undefined : security(tls),
    "peer-transport-security": tls === undefined ? undefined : { ...security(tls, tls.allowedPeers), ...peerClient(tls) },
    logger: "zap",
    "log-level": "warn",
  });
}

/** The files by the version: etcd ignores a key that it does not know, and with it what the key was to keep out. */
function security({ certFile, keyFile, caFile, version }: EtcdTls, allowed?: readonly string[]) {
  return { "cert-file": certFile, "key-file": keyFile, "trusted-ca-file": caFile, "client-cert-auth": true, "allowed-cn": allowed !== undefined && atLeast(version, 3, 5) ? allowed : undefined };
}

const peerClient = ({ peerClient: pair, version }: EtcdTls) =>
  pair === undefined || !atLeast(version, 3, 5) ? {} : { "client-cert-file": pair.certFile, "client-key-file": pair.keyFile };

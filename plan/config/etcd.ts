/** The configuration file of one member of etcd, the cluster's arbiter: one in each of three regions. */
import type { Plan } from "../types.ts";
import { toYaml } from "./yaml.ts";

export interface EtcdMember {
  readonly name: string;
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
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

/** Milliseconds. Over regions a round trip takes up to 150 ms; etcd asks for about that, and ten times it. */
const heartbeat = 150;

/** YAML for `etcd --config-file`; with it etcd ignores every other argument. */
export function etcdConf(input: EtcdConf): string {
  const { member, plan, tls } = input;
  const scheme = tls === undefined ? "http" : "https";
  const peer = (one: EtcdMember) => `${scheme}://${one.address}:${one.peerPort}`;
  const client = (one: EtcdMember) => `${scheme}://${one.address}:${one.clientPort}`;
  const security = tls === undefined ? undefined : { "cert-file": tls.certFile, "key-file": tls.keyFile, "trusted-ca-file": tls.caFile, "client-cert-auth": true };
  return toYaml({
    name: member.name,
    "data-dir": input.dataDirectory,
    "listen-peer-urls": peer(member),
    "listen-client-urls": client(member),
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
    "client-transport-security": security,
    "peer-transport-security": security,
    logger: "zap",
    "log-level": "warn",
  });
}

import { writtenBackends } from "../../../plan/identity-needs.ts";
import { ports } from "../../../plan/servers.ts";
import { splitEndpoint } from "../../../plan/config/pgbackrest.ts";
import { allowList, publicAddresses, type Allowance, type Peer } from "../../kubernetes/network.ts";
import { child, type ServerSet } from "../servers/context.ts";
import { allow, otherRegions, privateNetworks, sameNamespace } from "../servers/regions.ts";
import type { ClusterContext } from "./context.ts";

const { postgres, postgresProxy: proxy, etcd } = ports;
const pods = ({ selector }: ServerSet): Peer => ({ kind: "pods", selector });
/** Whoever serves the region's public name; it is told whether the leader is here, and nothing else. */
const anybody: Peer = { kind: "addresses", cidr: "0.0.0.0/0" };
const anyNamespace: Peer = { kind: "any-namespace" };

/** The same part in the other regions; a restored database has none. */
const elsewhere = ({ args, standing }: ClusterContext, set: ServerSet): readonly Peer[] => (standing === "restored" ? [] : otherRegions(set.topology, set.place, { networks: args.networks, selector: set.selector }));

const policy = (set: ServerSet, ingress: readonly Allowance[], egress: readonly Allowance[]): void => {
  allowList(`${set.prefix}-network`, { namespace: set.place.namespace, selector: set.selector, labels: set.labels, ingress, egress }, child(set));
};

export function etcdPolicy(context: ClusterContext): void {
  const { database, etcd: set } = context;
  const peers = [pods(set), ...elsewhere(context, set)];
  const clients = [pods(database), ...elsewhere(context, database)];
  policy(set, [...allow(peers, [etcd.peer]), ...allow(clients, [etcd.client]), ...monitored(etcd.metrics)], allow(peers, [etcd.peer]));
}

export function databasePolicy(context: ClusterContext): void {
  const { database: set, etcd: arbiters, proxy: proxies } = context;
  const members = [pods(set), ...elsewhere(context, set)];
  const clients = [pods(proxies), ...elsewhere(context, proxies)];
  policy(
    set,
    [...allow(unique([...members, ...clients]), [postgres.server, postgres.rest]), ...allow([pods(proxies)], [postgres.pgbackrest])],
    [...allow(members, [postgres.server, postgres.rest]), ...allow([pods(arbiters), ...elsewhere(context, arbiters)], [etcd.client]), ...stores(context)],
  );
}

export function proxyPolicy(context: ClusterContext): void {
  const { args, database, proxy: set, standing } = context;
  const networks = standing === "restored" ? [] : (args.networks ?? privateNetworks).map((cidr): Peer => ({ kind: "addresses", cidr }));
  const clients = [...(args.clients ?? sameNamespace), ...networks];
  const database5432 = [pods(database), ...elsewhere(context, database)];
  policy(
    set,
    [...allow(clients, [proxy.writer, proxy.reader, proxy.local, proxy.pgbackrest]), ...allow([anyNamespace, anybody], [proxy.health]), ...monitored(proxy.metrics)],
    [...allow(database5432, [postgres.server, postgres.rest]), ...allow([pods(database)], [postgres.pgbackrest])],
  );
}

/** Figures without secrets, for the cluster's Prometheus, wherever it runs. */
const monitored = (port: number): readonly Allowance[] => allow([anyNamespace], [port]);

/** Object stores over the internet, and AWS's token service for web identities; a private store is in a network of ours. */
function stores({ args, repositories }: ClusterContext): readonly Allowance[] {
  const known = writtenBackends(args.plan).map(({ name }) => name);
  return known.flatMap((backend) =>
    repositories.filter((repository) => repository.backend.name === backend).flatMap(({ caFile, credentials, endpoint }) => {
      const port = splitEndpoint(endpoint).port ?? https;
      const peers = caFile === undefined ? [publicAddresses] : [anyNamespace, ...(args.networks ?? privateNetworks).map((cidr): Peer => ({ kind: "addresses", cidr }))];
      return [...allow(peers, [port]), ...(credentials.kind === "web-identity" ? allow([publicAddresses], [https]) : [])];
    }),
  );
}
const https = 443;

const unique = (peers: readonly Peer[]): readonly Peer[] => [...new Map(peers.map((peer) => [JSON.stringify(peer), peer])).values()];

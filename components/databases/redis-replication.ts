import type * as pulumi from "@pulumi/pulumi";
import { drJsonPath } from "../../plan/config/dr-json.ts";
import type { NamedServer, RedisFilesArgs } from "../../plan/config/redis-files.ts";
import type { Endpoint } from "../../plan/config/redis-start.ts";
import { majority } from "../../plan/config/sentinel.ts";
import { redisMaster, redisName, sentinelName, tlsSecret } from "../../plan/servers.ts";
import { Component, refuse } from "../component.ts";
import type { RegionPlace } from "../topology.ts";
import type { RedisReplicationArgs } from "./redis/args.ts";
import { sentinelIn, sentinelsOf, serversIn } from "./redis/names.ts";
import { sentinelServer } from "./redis/sentinel.ts";
import { redisPaths, redisServers } from "./redis/servers.ts";
import { serverSet, type ServerSet } from "./servers/context.ts";
import { storageProblems, storeProblems } from "./servers/problems.ts";
import { placeHere, standingOf, topologyFor } from "./servers/regions.ts";
import { clientHost } from "./servers/services.ts";
import { objectiveOf } from "./servers/size.ts";

export type { RecoveryAccess, RedisReplicationArgs, RedisReplicationRole, RestoredRedis } from "./redis/args.ts";

/** A near replica takes over before a far one: the services' region stays, and no ocean lies in between. */
const priorities = { near: 10, far: 100 } as const;
/** Shell and Redis are given it as it is. */
const backupName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Redis over the regions: a primary, a near and a far replica, and one Sentinel in each of three regions.
 *
 * Clients ask a Sentinel for the primary (`masterName` at `sentinels`) and ask again when a connection breaks; every
 * client library knows how. There is no service that follows the primary: it would have to be told by something that
 * can fail at the same moment, and clients of a cut-off region would go on writing to a primary that is none any more.
 */
export class RedisReplication extends Component {
  /** Under which the Sentinels know the primary. */
  readonly masterName: string;
  /** `HOST:PORT` of every Sentinel, for clients: whoever is the primary, they know it. Empty where restored. */
  readonly sentinels: readonly string[];
  /** `HOST:PORT` of each server that is declared here, from inside its cluster: the jobs', whose policies know pods. */
  readonly servers: readonly string[];
  /** Kubernetes secret in the servers' namespace whose `ca.crt` clients trust: there is no way in but TLS. */
  readonly authoritySecret: string;

  constructor(name: string, args: RedisReplicationArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, region, role, topology } = args;
    refuse(`RedisReplication ${name}`, [...storeProblems("redis", args), ...roleProblems(args)]);
    super("databases", "RedisReplication", name, args, options);
    const place = placeHere(topology, region, role);
    const servers = serversIn(place, role.kind);
    const sentinels = role.kind === "restored" ? [] : sentinelsOf(plan, topology);
    this.masterName = redisMaster(plan);
    this.servers = servers.map(({ name: server, port }) => `${clientHost(server, place)}:${port}`);
    this.authoritySecret = tlsSecret(servers.length > 0 ? redisName(standingOf(role)) : sentinelName);
    this.sentinels = sentinels.map(addressOf);

    const files = filesOf(args, servers, sentinels);
    if (servers.length > 0) redisServers({ args, files, set: setOf(this, name, args, place, redisName(standingOf(role)), servers) });
    if (role.kind !== "restored") sentinelServer(args, setOf(this, `${name}-sentinel`, args, place, sentinelName, [sentinelIn(place)]), files);
    this.registerOutputs({
      role: role.kind, region, copies: servers.length, quorum: majority(plan), rpo: objectiveOf(plan, "redis"), appendFsync: plan.redis.appendFsync, lifetime: args.lifetime,
      masterName: this.masterName, sentinels: this.sentinels, servers: this.servers,
    });
  }
}

const addressOf = ({ host, port }: Endpoint): string => `${host}:${port}`;
const setOf = (parent: pulumi.Resource, prefix: string, { lifetime, region, role, topology }: RedisReplicationArgs, place: RegionPlace, base: string, servers: readonly NamedServer[]): ServerSet =>
  serverSet({ parent, prefix, base, names: servers.map((server) => server.name), place, topology: topologyFor(topology, role), lifetime, region, application: "redis" });

function filesOf({ plan, role, version }: RedisReplicationArgs, servers: readonly NamedServer[], sentinels: readonly Endpoint[]): RedisFilesArgs {
  const common = { plan, version, paths: redisPaths, servers, sentinels, masterName: redisMaster(plan) };
  if (role.kind === "restored") return { ...common, recovery: { backup: role.backup, configFile: drJsonPath } };
  return { ...common, priority: role.kind === "primary" ? priorities.near : priorities.far };
}

function roleProblems({ role, storage }: RedisReplicationArgs): readonly string[] {
  if (role.kind === "witness") return [];
  if (role.kind !== "restored") return storageProblems(storage);
  const { access, backup } = role;
  return [
    ...storageProblems(storage),
    ...(backupName.test(backup) ? [] : [`role.backup: ${JSON.stringify(backup)} is neither an id of the catalog nor latest`]),
    ...(access.workDirectory.startsWith("/") ? [] : [`role.access.workDirectory: ${JSON.stringify(access.workDirectory)} is no absolute path`]),
    ...(access.secrets.length > 0 ? [] : ["role.access.secrets: it is empty; no backup can be decrypted without a passphrase"]),
  ];
}

/**
 * Redis's configuration files, each from one pure function: the cluster and the drill on one machine write the same.
 * Times that are objectives come from the plan; everything else that differs from Redis's defaults says why.
 */
import type { Plan } from "../types.ts";
import { directives, type Directive } from "./redis-directives.ts";
import { isHashMark } from "./secret-template.ts";
import { atLeast, parseVersion, type ToolVersion } from "./version.ts";

/** The version of a Redis server as it says it, e.g. `7.0.15`. Throws a RangeError on anything that is no version. */
export function redisVersion(text: string): ToolVersion {
  const version = parseVersion(text);
  if (version === undefined) throw new RangeError(`\`${text}\` is not a version of Redis, as 7.0.15 is`);
  return version;
}

export interface RedisTls {
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface RedisConfArgs {
  readonly plan: Plan;
  /** As the server says it, e.g. `7.0.15`. */
  readonly version: string;
  /** 0: no plain TCP, only the socket or TLS. */
  readonly port: number;
  readonly bind: readonly string[];
  readonly socket?: string;
  /** Holds the AOF and the RDB. */
  readonly dir: string;
  /** What `redisAcl` wrote. */
  readonly aclFile: string;
  /** Absent on the server that starts as the primary; Sentinel changes it later and rewrites the file. */
  readonly replicaOf?: { readonly host: string; readonly port: number };
  /** How a server logs in to its primary. On the primary too: after a failover it is the replica. */
  readonly masterAuth?: { readonly user: string; readonly password: string };
  /** The address under which others reach this server, where that is not the one it is bound to. */
  readonly announce?: { readonly host: string; readonly port: number };
  readonly tls?: RedisTls;
  /** Sentinel promotes the replica with the lowest, and never one with 0. Default: Redis's own, 100. */
  readonly priority?: number;
  readonly databases?: number;
  /** Default: standard output. */
  readonly logFile?: string;
}

/** Redis's own defaults, kept on purpose: a local RDB is the second way back when the AOF is damaged. */
const savePoints: readonly (readonly [seconds: number, changes: number])[] = [[3_600, 1], [300, 100], [60, 10_000]];

/** `redis.conf`. The file holds the replication password in plain text (Redis knows no other way): mode 0600. */
export function redisConf(args: RedisConfArgs): string {
  const version = redisVersion(args.version);
  return directives([...network(args), ...server(args, version), ...persistence(args.plan, version), ...replication(args), ["aclfile", args.aclFile]]);
}

function network({ port, bind, socket, tls, announce }: RedisConfArgs): Directive[] {
  return [
    ["bind", ...bind],
    ["port", port],
    ["protected-mode", "yes"],
    ...(socket === undefined ? [] : [["unixsocket", socket], ["unixsocketperm", "700"]] satisfies Directive[]),
    ...(tls === undefined ? [] : tlsDirectives(tls)),
    ...(announce === undefined ? [] : [["replica-announce-ip", announce.host], ["replica-announce-port", announce.port]] satisfies Directive[]),
  ];
}

function tlsDirectives(tls: RedisTls): Directive[] {
  return [
    ["tls-port", tls.port],
    ["tls-cert-file", tls.certFile],
    ["tls-key-file", tls.keyFile],
    ["tls-ca-cert-file", tls.caFile],
    ["tls-replication", "yes"],
    ["tls-auth-clients", "optional"], // who a client is, the ACL says
  ];
}

function server({ dir, databases = 16, logFile }: RedisConfArgs, version: ToolVersion): Directive[] {
  return [
    ["daemonize", "no"],
    ["dir", dir],
    ["databases", databases],
    ["logfile", logFile ?? ""],
    // Off by default since 7.0; said here so that a changed default is no hole.
    ...(atLeast(version, 7) ? [["enable-debug-command", "no"], ["enable-module-command", "no"], ["enable-protected-configs", "no"]] satisfies Directive[] : []),
  ];
}

/** How a server keeps what it was given: in production and after a recovery alike. */
export function persistence(plan: Plan, version: ToolVersion): Directive[] {
  return [
    ["appendonly", "yes"],
    ["appendfilename", "appendonly.aof"],
    ...(atLeast(version, 7) ? [["appenddirname", "appendonlydir"]] satisfies Directive[] : []),
    ["appendfsync", plan.redis.appendFsync],
    // Without it a rewrite hands the disk all of its pages at once, and `everysec` stalls for seconds.
    ["aof-rewrite-incremental-fsync", "yes"],
    ["no-appendfsync-on-rewrite", "no"],
    ["aof-use-rdb-preamble", "yes"],
    // A power cut leaves half a command at the end; a server that refuses to start for it costs the RTO.
    ["aof-load-truncated", "yes"],
    ["dbfilename", "dump.rdb"],
    ["rdbchecksum", "yes"],
    ["stop-writes-on-bgsave-error", "yes"],
    ["save", ...savePoints.flat()],
  ];
}

function replication({ plan, replicaOf, masterAuth, priority, tls }: RedisConfArgs): Directive[] {
  const lag = plan.redis.replicaLagBound;
  return [
    ...(replicaOf === undefined ? [] : [["replicaof", replicaOf.host, tls?.port ?? replicaOf.port]] satisfies Directive[]),
    ...(masterAuth === undefined ? [] : [["masteruser", masterAuth.user], ["masterauth", masterAuth.password]] satisfies Directive[]),
    ...(priority === undefined ? [] : [["replica-priority", priority]] satisfies Directive[]),
    ["replica-read-only", "yes"],
    ["repl-diskless-sync", "yes"],
    // `redis-cli --rdb` is a replica to the server, and would wait this long before each dump (5 s by default).
    ["repl-diskless-sync-delay", 0],
    // A replica keeps its data until the new copy has arrived whole.
    ["repl-diskless-load", "swapdb"],
    // 1 MiB by default: any hiccup between regions would cost a full copy.
    ["repl-backlog-size", "64mb"],
    ...(lag > 0 ? [["min-replicas-to-write", 1], ["min-replicas-max-lag", Math.max(1, Math.ceil(lag))]] satisfies Directive[] : []),
  ];
}

export type RedisRole = "app" | "replica" | "backup" | "recovery" | "sentinel" | "monitoring";
export const redisRoles: readonly RedisRole[] = ["app", "replica", "backup", "recovery", "sentinel", "monitoring"];

export interface RedisAclArgs {
  /** Each user that shall exist, by the SHA-256 of its password in hexadecimal or its mark (`hashMark`); a role that is
   * left out has no user. */
  readonly users: Readonly<Partial<Record<RedisRole, { readonly sha256: string }>>>;
  /** What the services may touch. Default: all that BlackRoad's services use. */
  readonly appKeys?: readonly string[];
}

export const agentKeys = "agent:*";
const defaultAppKeys: readonly string[] = [agentKeys, "session:*", "realtime:*", "heartbeat:*", "heartbeat"];

/** What every connection needs; HELLO and AUTH are open to all. */
const connect = ["+ping", "+hello", "+select", "+client|setname", "+client|id", "+echo", "+quit"];

/** The rules of each role: nothing but what its work needs, so a stolen password is worth no more than that. */
function rulesOf(role: RedisRole, appKeys: readonly string[]): readonly string[] {
  switch (role) {
    case "app":
      return [...appKeys.map((keys) => `~${keys}`), "&*", "+@all", "-@admin", "-@dangerous", "+info", "+role"];
    case "replica":
      return ["+psync", "+replconf", "+ping"];
    case "backup": // snapshots (`redis-cli --rdb` is REPLCONF and SYNC, and needs no key) and agents' checkpoints, which read
      return [`%R~${agentKeys}`, ...connect, "+sync", "+psync", "+replconf", "+info", "+time", "+dbsize", "+role", "+scan", "+dump", "+pttl", "+pexpiretime", "+get"];
    case "recovery": // one agent or all of them; RESTORE counts as dangerous and is named
      return [`~${agentKeys}`, ...connect, "+scan", "+dump", "+restore", "+pttl", "+pexpiretime", "+get", "+type", "+exists", "+del", "+unlink", "+multi", "+exec", "+discard", "+watch", "+unwatch", "+time", "+info", "+dbsize", "+role"];
    case "sentinel": // the list of redis.io/docs/management/sentinel, and no other channel
      return ["&__sentinel__:hello", "+multi", "+exec", "+slaveof", "+replicaof", "+ping", "+subscribe", "+publish", "+config|rewrite", "+role", "+info", "+client|setname", "+client|kill", "+script|kill"];
    case "monitoring": // not CONFIG GET: it tells the replication password
      return [...connect, "+info", "+time", "+dbsize", "+role", "+slowlog|get", "+slowlog|len", "+latency|latest", "+latency|histogram", "+memory|stats", "+client|list"];
  }
}

/** The ACL file: `default` is off, passwords are there as SHA-256 only. */
export function redisAcl({ users, appKeys = defaultAppKeys }: RedisAclArgs): string {
  const lines = redisRoles.flatMap((role) => {
    const user = users[role];
    if (user === undefined) return [];
    if (!/^[0-9a-f]{64}$/.test(user.sha256) && !isHashMark(user.sha256)) throw new RangeError(`the password of Redis's user ${role} must be given as its SHA-256, 64 hexadecimal digits`);
    return [["user", role, "on", `#${user.sha256}`, "resetchannels", "-@all", ...rulesOf(role, appKeys)].join(" ")];
  });
  return ["user default off resetpass resetkeys resetchannels -@all", ...lines, ""].join("\n");
}

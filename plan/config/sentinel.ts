import type { Plan } from "../types.ts";
import { redisVersion, type RedisTls } from "./redis.ts";
import { directives, type Directive } from "./redis-directives.ts";
import { atLeast } from "./version.ts";

export interface SentinelMaster {
  /** Under which clients ask for it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface SentinelConfArgs {
  readonly plan: Plan;
  readonly version: string;
  /** Of this Sentinel, for its log. */
  readonly name: string;
  readonly port: number;
  readonly bind: readonly string[];
  /** Sentinel keeps its state by rewriting its own configuration file: the file and its folder must be writable. */
  readonly dir: string;
  readonly masters: readonly SentinelMaster[];
  /** How many Sentinels must agree that a primary is down. Default: the majority of the plan's regions, one in each. */
  readonly quorum?: number;
  /** Sentinel's user on the Redis servers. */
  readonly auth: { readonly user: string; readonly password: string };
  /** What clients and the other Sentinels must say to this one; without it whoever reaches the port can fail over. */
  readonly password?: string;
  readonly announce?: { readonly host: string; readonly port: number };
  readonly tls?: RedisTls;
  readonly logFile?: string;
}

/** More than half of the plan's regions, with one Sentinel in each. */
export const majority = (plan: Plan): number => Math.floor(plan.regions.length / 2) + 1;

/** `sentinel.conf`, mode 0600: it holds passwords. One Sentinel per region, so that the loss of one leaves a majority. */
export function sentinelConf(args: SentinelConfArgs): string {
  const version = redisVersion(args.version);
  const named = args.masters.some(({ host }) => !/^[\d.]+$|:/.test(host));
  return directives([
    ["bind", ...args.bind],
    ["port", args.port],
    ["protected-mode", "yes"],
    ["daemonize", "no"],
    ["dir", args.dir],
    ["logfile", args.logFile ?? ""],
    ...(args.tls === undefined ? [] : tlsOf(args.tls)),
    ...(args.password === undefined ? [] : [["requirepass", args.password], ["sentinel", "sentinel-pass", args.password]] satisfies Directive[]),
    ...(args.announce === undefined ? [] : [["sentinel", "announce-ip", args.announce.host], ["sentinel", "announce-port", args.announce.port]] satisfies Directive[]),
    ["sentinel", "deny-scripts-reconfig", "yes"],
    // Before any `monitor`: names in it are refused otherwise (6.2 and later).
    ...(named && atLeast(version, 6, 2) ? [["sentinel", "resolve-hostnames", "yes"], ["sentinel", "announce-hostnames", "yes"]] satisfies Directive[] : []),
    ...args.masters.flatMap((master) => monitored(master, args)),
  ]);
}

function monitored(master: SentinelMaster, { plan, quorum, auth }: SentinelConfArgs): Directive[] {
  const of = (option: string, value: string | number): Directive => ["sentinel", option, master.name, value];
  return [
    ["sentinel", "monitor", master.name, master.host, master.port, quorum ?? majority(plan)],
    of("auth-user", auth.user),
    of("auth-pass", auth.password),
    of("down-after-milliseconds", Math.round(plan.redis.downAfter * 1_000)),
    of("failover-timeout", Math.round(plan.redis.failoverTimeout * 1_000)),
    // One replica after another: while it copies, a replica cannot be promoted.
    of("parallel-syncs", 1),
  ];
}

function tlsOf(tls: RedisTls): Directive[] {
  return [["tls-port", tls.port], ["tls-cert-file", tls.certFile], ["tls-key-file", tls.keyFile], ["tls-ca-cert-file", tls.caFile], ["tls-replication", "yes"], ["tls-auth-clients", "optional"]];
}

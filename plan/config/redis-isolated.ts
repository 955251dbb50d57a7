import type { Plan } from "../types.ts";
import { persistence, redisVersion } from "./redis.ts";
import { directives } from "./redis-directives.ts";

export interface IsolatedRedisArgs {
  readonly plan: Plan;
  readonly version: string;
  readonly dir: string;
  /** Reachable by its owner only; the way in unless a port is asked for. */
  readonly socket: string;
  /** On 127.0.0.1 as well, where everybody on the machine can come: hence the password. Default: no TCP at all. */
  readonly tcp?: { readonly port: number; readonly password: string };
  /** Whether it outlives whoever starts it, as a recovered server does and one for a verification does not. */
  readonly daemon: boolean;
  readonly pidFile: string;
  readonly logFile: string;
}

/**
 * A server that was recovered from a backup and stands alone: no primary, no replica, nothing of production in its
 * configuration. It persists as production does, so that it can go into service as it is.
 */
export function isolatedRedisConf({ plan, version, dir, socket, tcp, daemon, pidFile, logFile }: IsolatedRedisArgs): string {
  return directives([
    ["bind", "127.0.0.1"],
    ["port", tcp?.port ?? 0],
    ...(tcp === undefined ? [] : ([["requirepass", tcp.password]] as const)),
    ["protected-mode", "yes"],
    ["unixsocket", socket],
    ["unixsocketperm", "700"],
    ["daemonize", daemon ? "yes" : "no"],
    ["pidfile", pidFile],
    ["logfile", logFile],
    ["dir", dir],
    ...persistence(plan, redisVersion(version)),
  ]);
}

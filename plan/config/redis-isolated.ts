import type { Plan } from "../types.ts";
import { persistence, redisVersion } from "./redis.ts";
import { directives, type Directive } from "./redis-directives.ts";

export interface IsolatedRedisArgs {
  readonly plan: Plan;
  readonly version: string;
  readonly dir: string;
  /** Reachable by its owner only; the way in unless a port is asked for. */
  readonly socket: string;
  /** On 127.0.0.1 as well. Default: no TCP at all. */
  readonly port?: number;
  /** Who may do what; without it the socket's owner may do everything. */
  readonly aclFile?: string;
  readonly pidFile: string;
  readonly logFile: string;
}

/**
 * A server that was recovered from a backup and stands alone: no primary, no replica, nothing of production in its
 * configuration. It persists as production does, so that it can go into service as it is.
 */
export function isolatedRedisConf({ plan, version, dir, socket, port, aclFile, pidFile, logFile }: IsolatedRedisArgs): string {
  return directives([
    ["bind", "127.0.0.1"],
    ["port", port ?? 0],
    ["protected-mode", "yes"],
    ["unixsocket", socket],
    ["unixsocketperm", "700"],
    ["daemonize", "yes"], // it outlives the `dr` that recovered it
    ["pidfile", pidFile],
    ["logfile", logFile],
    ["dir", dir],
    ...(aclFile === undefined ? [] : [["aclfile", aclFile]] satisfies Directive[]),
    ...persistence(plan, redisVersion(version)),
  ]);
}

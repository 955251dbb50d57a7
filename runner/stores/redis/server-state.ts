import { DrError } from "../../errors.ts";
import { describeRedis, type RedisLink } from "./connection.ts";

/** What a server says about itself at one moment. */
export interface ServerState {
  /** The server's own clock, not ours. */
  readonly time: Date;
  readonly version: string;
  readonly runId: string;
  readonly role: "primary" | "replica";
  /** Of a replica: whether its primary is connected, seconds since the last word from it, and where it is (`HOST:PORT`). */
  readonly primaryLink: { readonly up: boolean; readonly silence: number; readonly of: string } | undefined;
  readonly loading: boolean;
  readonly replicationId: string;
  /** Of one that was promoted: the replication that it followed until then. */
  readonly formerReplicationId: string;
  readonly replicationOffset: number;
  readonly usedMemory: number;
  readonly databases: ReadonlyMap<number, { readonly keys: number; readonly expires: number }>;
}

export function parseInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const));
}

/** `db0:keys=3,expires=1,avg_ttl=0` */
export function databasesOf(info: ReadonlyMap<string, string>): Map<number, { keys: number; expires: number }> {
  const databases = new Map<number, { keys: number; expires: number }>();
  for (const [name, value] of info) {
    const match = /^keys=(\d+),expires=(\d+)/.exec(value);
    if (/^db\d+$/.test(name) && match !== null) databases.set(Number(name.slice(2)), { keys: Number(match[1]), expires: Number(match[2]) });
  }
  return databases;
}

export const keysIn = (state: Pick<ServerState, "databases">): number => [...state.databases.values()].reduce((sum, { keys }) => sum + keys, 0);

export async function serverTime(link: RedisLink): Promise<Date> {
  const answer = await link.send("TIME");
  if (!Array.isArray(answer)) throw new TypeError("TIME answers with a list");
  return new Date(Number(answer[0]) * 1_000 + Math.floor(Number(answer[1]) / 1_000));
}

export async function readInfo(link: RedisLink): Promise<Map<string, string>> {
  return parseInfo(String(await link.send("INFO")));
}

export async function serverState(link: RedisLink): Promise<ServerState> {
  const time = await serverTime(link);
  const info = await readInfo(link);
  const text = (name: string): string => {
    const value = info.get(name);
    if (value !== undefined) return value;
    throw new DrError({ kind: "unavailable", what: `the server does not say its ${name}`, where: describeRedis(link.address), todo: "See whether it is a Redis server; its INFO is incomplete." });
  };
  const replica = text("role") === "slave";
  return {
    time,
    version: text("redis_version"),
    runId: text("run_id"),
    role: replica ? "replica" : "primary",
    primaryLink: replica ? { up: text("master_link_status") === "up", silence: Number(text("master_last_io_seconds_ago")), of: `${text("master_host")}:${text("master_port")}` } : undefined,
    loading: text("loading") === "1" || info.get("async_loading") === "1",
    replicationId: text("master_replid"),
    formerReplicationId: text("master_replid2"),
    replicationOffset: Number(text("master_repl_offset")),
    usedMemory: Number(text("used_memory")),
    databases: databasesOf(info),
  };
}

/** The time to which the data surely reaches: a replica has what its primary sent before its last word. */
export function watermarkOf({ time, primaryLink }: Pick<ServerState, "time" | "primaryLink">): Date {
  return primaryLink === undefined ? time : new Date(time.getTime() - (primaryLink.silence + 1) * 1_000);
}

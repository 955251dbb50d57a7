import { readFile } from "node:fs/promises";
import { createClient, MultiErrorReply, RESP_TYPES } from "@redis/client";
import { readSecret } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";

/** Where a server is, and who we are there. */
export interface RedisAddress {
  readonly socket?: string | undefined;
  readonly host?: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly passwordFile?: string | undefined;
  /** The authority of the server's certificate; with it the connection is encrypted. */
  readonly caFile?: string | undefined;
}

export type RedisArgument = string | Buffer;

/** One connection. Commands that are sent without waiting travel in one write and are answered in order. */
export interface RedisLink {
  readonly address: RedisAddress;
  /** Answers as text. */
  send(...args: RedisArgument[]): Promise<unknown>;
  /** Answers as bytes: what DUMP gives is no text. */
  sendBinary(...args: RedisArgument[]): Promise<unknown>;
  /** All or nothing: MULTI … EXEC. Throws where the server refused any of them. */
  transaction(commands: readonly (readonly RedisArgument[])[]): Promise<void>;
  close(): void;
}

/** Seconds until a server must have taken the connection. */
const connectDeadline = 5;

export const describeRedis = ({ socket, host, port }: RedisAddress): string => socket ?? `${host ?? "127.0.0.1"}:${port}`;

/** The servers of Redis of this run, any of which may be the primary, or an error that says the configuration names none. */
export function redisServersOf({ config: { redis } }: RunContext): readonly RedisAddress[] {
  if (redis !== undefined) return redis.servers === undefined ? [redis] : redis.servers.map((server) => ({ ...redis, ...server }));
  throw new DrError({ kind: "usage", what: "the configuration names no Redis", where: "redis", todo: "Add `redis` with a socket, a host and a port, or `servers`." });
}

export const passwordOf = async ({ passwordFile }: RedisAddress): Promise<string | undefined> => (passwordFile === undefined ? undefined : readSecret(passwordFile, "the password of Redis"));

/** Whoever connects closes. There is no reconnecting: half a dump from another server would be no dump. */
export async function connectRedis(address: RedisAddress, signal?: AbortSignal): Promise<RedisLink> {
  signal?.throwIfAborted();
  const password = await passwordOf(address);
  const options = { reconnectStrategy: false, connectTimeout: connectDeadline * 1_000 } as const;
  const client = createClient({
    socket: address.socket === undefined ? { host: address.host ?? "127.0.0.1", port: address.port, ...options, ...(await encryption(address)) } : { path: address.socket, ...options },
    ...(password === undefined ? {} : { username: address.user, password }),
    disableClientInfo: true, // CLIENT SETINFO came with 7.2
    maintNotifications: "disabled",
  });
  client.on("error", () => undefined); // each command that is under way rejects with the same error
  try {
    await client.connect();
  } catch (cause) {
    throw connectionError(address, cause);
  }
  const abort = () => client.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const guarded = async <T>(name: RedisArgument | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      signal?.throwIfAborted();
      throw commandError(address, String(name), cause);
    }
  };
  return {
    address,
    send: (...args) => guarded(args[0], () => client.sendCommand(args)),
    sendBinary: (...args) => guarded(args[0], () => binary.sendCommand(args)),
    transaction: (commands) =>
      guarded("EXEC", async () => {
        const multi = client.multi();
        for (const command of commands) multi.addCommand([...command]);
        await multi.exec().catch((error: unknown) => {
          if (!(error instanceof MultiErrorReply)) throw error;
          throw [...error.errors()][0] ?? error; // Redis goes on after a command that fails; the first one says why
        });
      }),
    close: () => {
      signal?.removeEventListener("abort", abort);
      if (client.isOpen) client.destroy();
    },
  };
}

async function encryption({ caFile }: RedisAddress): Promise<{ readonly tls?: true; readonly ca?: string }> {
  if (caFile === undefined) return {};
  const ca = await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `the authority of Redis's certificate cannot be read: ${messageOf(cause)}`, where: caFile, todo: "Mount it there, or correct `redis.caFile`.", cause });
  });
  return { tls: true, ca };
}

function connectionError(address: RedisAddress, cause: unknown): DrError {
  const said = messageOf(cause);
  if (/WRONGPASS|NOAUTH/.test(said)) {
    return new DrError({ kind: "unavailable", what: `Redis refused the user ${address.user}: ${said}`, where: describeRedis(address), todo: `Look at ${address.passwordFile ?? "redis.passwordFile, which is not set,"} and at the server's ACL file.`, cause });
  }
  return new DrError({ kind: "unavailable", what: `Redis does not answer: ${said}`, where: describeRedis(address), todo: "Start the server, or correct `redis` in the configuration.", cause });
}

/** A refusal is the server's word; everything else means that the connection is gone. */
function commandError(address: RedisAddress, name: string, cause: unknown): DrError {
  const said = messageOf(cause);
  if (said.startsWith("NOPERM")) return new DrError({ kind: "unavailable", what: `Redis's user ${address.user} may not do ${name}: ${said}`, where: describeRedis(address), todo: "Give it the rules of plan/config/redis.ts.", cause });
  if (/^[A-Z]{3,} /.test(said)) return new DrError({ kind: "failed", what: `Redis refused ${name}: ${said}`, where: describeRedis(address), todo: "Read the server's log.", cause });
  return new DrError({ kind: "unavailable", what: `the connection to Redis broke at ${name}: ${said}`, where: describeRedis(address), todo: "See whether the server still runs.", cause });
}

/** The arguments of `redis-cli` that reach the same server. The password goes to its standard input (`--askpass`
 * reads a line there where it is no terminal): arguments and environments are readable by others. */
export function clientArguments({ caFile, socket, host, port, user, passwordFile }: RedisAddress): string[] {
  const encrypted = caFile === undefined ? [] : ["--tls", "--cacert", caFile];
  const where = socket === undefined ? ["-h", host ?? "127.0.0.1", "-p", String(port), ...encrypted] : ["-s", socket];
  return passwordFile === undefined ? where : [...where, "--user", user, "--askpass"];
}

/** What a recovery of the whole system fills, and whether it may. */
import { join } from "node:path";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { connectTo } from "../../stores/postgres/connection.ts";
import { connectRedis } from "../../stores/redis/connection.ts";
import { checkTarget as checkRedisTarget } from "../../stores/redis/target.ts";
import { checkVaultTarget } from "../../stores/vault/recover.ts";
import { vaultWatermark } from "../../stores/vault/watermark.ts";
import { checkVectorsTarget } from "../../stores/vectors/recover.ts";
import { vectorsWatermark } from "../../stores/vectors/watermark.ts";
import { longestSocketPath } from "../../system/files.ts";
import { checkDestination } from "../directory.ts";
import type { StoreSource } from "./sources.ts";

/** Where the recovered servers of a whole system are, below one folder. */
export interface Places {
  readonly postgres: { readonly dataDirectory: string; readonly socketDirectory: string; readonly port: number };
  readonly redis: { readonly directory: string; readonly socket: string };
}

/** PostgreSQL's socket has its port's name; nothing listens on the network. */
const postgresPort = 5432;

/** @throws DrError where the servers could not open their sockets there: found out now, and not when all is restored */
export function placesIn(into: string): Places {
  const places = {
    postgres: { dataDirectory: join(into, "postgres"), socketDirectory: join(into, "postgres.socket"), port: postgresPort },
    redis: { directory: join(into, "redis"), socket: join(into, "redis", "redis.sock") },
  };
  const longest = join(places.postgres.socketDirectory, `.s.PGSQL.${postgresPort}`);
  const over = Buffer.byteLength(longest) - longestSocketPath;
  if (over > 0) throw new DrError({ kind: "usage", what: `the folder's path is ${over} bytes too long for the servers' sockets (${longest} may have ${longestSocketPath})`, where: into, todo: "Name a folder with a shorter path with --into." });
  return places;
}

export interface TargetRequest {
  readonly source: StoreSource;
  readonly places: Places;
  readonly force: boolean;
}

/**
 * Looks at what the store would be recovered into, before anything is done.
 * @throws DrError where something would be lost there: whatever it holds without `force`, a running server in any case
 */
export async function checkTarget(context: RunContext, { source: { store, backup }, places, force }: TargetRequest): Promise<void> {
  switch (store) {
    case "vault":
      return checkVaultTarget(context, { backup, force });
    case "postgres":
      await checkDestination(context, places.postgres.dataDirectory, force);
      return;
    case "redis":
      return checkRedisTarget(places.redis.directory, force);
    case "vectors":
      return checkVectorsTarget(context, { backup, force });
  }
}

/** Whether what a step recovered still stands: a machine may have been started anew since. */
export async function stands(context: RunContext, { store, bytes }: StoreSource, { postgres, redis }: Places): Promise<boolean> {
  const answers = async (): Promise<boolean> => {
    switch (store) {
      case "vault":
        return (await vaultWatermark(context)).state !== "not initialised"; // that it is unsealed is a step of its own
      case "postgres":
        await (await connectTo({ host: postgres.socketDirectory, port: postgres.port, user: "postgres", database: "postgres" })).end();
        return true;
      case "redis":
        (await connectRedis({ socket: redis.socket, port: 0, user: "default" }, context.signal)).close();
        return true;
      case "vectors":
        return bytes === 0 || (await vectorsWatermark(context)).points > 0;
    }
  };
  return answers().catch(() => {
    context.signal.throwIfAborted();
    return false;
  });
}

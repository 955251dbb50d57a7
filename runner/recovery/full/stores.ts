/** Recovers one store of the whole, each as its own command would, and finds again what an earlier attempt left. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatSize } from "../../../plan/units.ts";
import type { RunContext } from "../../context.ts";
import { recoverPostgres, type RecoverOptions } from "../../stores/postgres/recover.ts";
import { binDirectoryOf } from "../../stores/postgres/restore.ts";
import { recoverRedis } from "../../stores/redis/recover.ts";
import { recoverVault } from "../../stores/vault/recover.ts";
import { recoverVectors } from "../../stores/vectors/recover.ts";
import { removeTree } from "../../system/files.ts";
import { killGroup, run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { isAlive } from "../../system/pid.ts";
import { databaseUser } from "../../system/user.ts";
import { waitFor } from "../../system/wait.ts";
import type { StoreSource } from "./sources.ts";
import type { Places } from "./targets.ts";

export interface StoreRequest {
  readonly source: StoreSource;
  readonly places: Places;
  /** An earlier attempt of the same recovery began with this store: what it left is ours, and goes. */
  readonly again: boolean;
  readonly force: boolean;
  readonly backend?: string;
}

/** Recovers the store; returns what it came to, for people. */
export async function recoverStore(whole: RunContext, request: StoreRequest): Promise<string> {
  const { source, places, again, backend } = request;
  // A backend that is down costs minutes wherever it is tried.
  const context = backend === undefined ? whole : { ...whole, backends: whole.backends.filter(({ name }) => name === backend) };
  const force = again || request.force;
  switch (source.store) {
    case "vault": {
      // Where it went on from is a server that an earlier attempt made ready, which it knows by itself.
      const { recoveredTo, target, unsealed, opensWith } = await recoverVault(context, { backup: source.backup, force: request.force });
      return `${target}: ${unsealed ? "unsealed" : `sealed, opens with ${opensWith}`}, as of ${recoveredTo}`;
    }
    case "postgres": {
      if (again) await stopPostgres(context, places);
      const { repository, recoveredTo, bytes } = await recoverPostgres(context, { ...postgresOptions(request), force });
      return `from ${repository}, ${formatSize(bytes.restored)} and ${formatSize(bytes.wal)} of WAL, to LSN ${recoveredTo.lsn} on timeline ${recoveredTo.timeline}`;
    }
    case "redis": {
      if (again) await stopRedis(places);
      const { keys, from, recoveredTo } = await recoverRedis(context, { backup: source.backup, into: places.redis.directory, force });
      return `from ${from}, ${keys} keys, as of ${recoveredTo}`;
    }
    case "vectors": {
      const { points, target, recoveredTo } = await recoverVectors(context, { backup: source.backup, force });
      return `${target}: ${points} points, as of ${recoveredTo}`;
    }
  }
}

/** To the restore point by its name, from whichever backup leads there; or from the newest to the archive's end. */
export function postgresOptions({ source, places, backend }: Pick<StoreRequest, "source" | "places" | "backend">): RecoverOptions {
  const { dataDirectory, socketDirectory, port } = places.postgres;
  return {
    backup: "latest",
    target: source.restorePoint === undefined ? { kind: "latest" } : { kind: "name", name: source.restorePoint },
    into: dataDirectory, socketDirectory, port,
    ...(backend === undefined ? {} : { backend }),
  };
}

async function stopPostgres(context: RunContext, { postgres }: Places): Promise<void> {
  const version = Number(await readFile(join(postgres.dataDirectory, "PG_VERSION"), "utf8").catch(() => ""));
  if (!(version > 0)) return removeTree(postgres.dataDirectory); // broken off in the middle: what is there is no database yet
  if ((await pidIn(join(postgres.dataDirectory, "postmaster.pid"))) === undefined) return;
  const pgCtl = await findProgram("pg_ctl", await binDirectoryOf(context, version));
  await run(pgCtl, ["stop", "-w", "-t", "60", "-m", "immediate", "-D", postgres.dataDirectory], { deadline: 70, accept: [0, 1], cwd: "/", user: databaseUser(context.config.databaseUser) });
}

async function stopRedis({ redis }: Places): Promise<void> {
  const pid = await pidIn(join(redis.directory, "redis.pid"));
  if (pid === undefined || !isAlive(pid)) return;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  if (!name.startsWith("redis")) return; // the number is another's by now
  killGroup(pid, "SIGTERM");
  await waitFor("the end of the Redis of the attempt before", () => !isAlive(pid), { within: 20, every: 0.05 }).catch(() => killGroup(pid));
}

/** The first line of a file in which a server says who it is. */
async function pidIn(path: string): Promise<number | undefined> {
  const pid = Number((await readFile(path, "utf8").catch(() => "")).split("\n")[0]);
  return pid > 0 ? pid : undefined;
}

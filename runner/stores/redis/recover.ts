import { chown, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { onlyObject, type RejectedCopy } from "../../copies.ts";
import { DrError } from "../../errors.ts";
import { fetchObject } from "../../fetch-object.ts";
import { secondsSince } from "../../system/clock.ts";
import { checkRdb, type RdbCounts } from "./check-rdb.ts";
import { chooseSnapshot, type BackupChoice } from "./choose.ts";
import { startFromRdb, type IsolatedServer } from "./isolated-server.ts";
import { databasesOf, keysIn, readInfo } from "./server-state.ts";
import { prepareTarget, putBack, refuseTakenSocket } from "./target.ts";

export interface RedisRecoveryOptions {
  readonly backup: BackupChoice;
  /** The new server's directory; empty or absent. */
  readonly into: string;
  /** On 127.0.0.1, besides the socket; with a password of its own, in a file. */
  readonly port?: number;
  readonly socket?: string;
  /** Move aside what is in `into`. A running server is refused in any case. */
  readonly force?: boolean;
}

export interface RedisRecovery {
  readonly backup: string;
  readonly dir: string;
  readonly socket: string;
  readonly port: number | undefined;
  /** Holds the password that the server asks for, where it listens on a port; readable by its owner only. */
  readonly passwordFile: string | undefined;
  readonly pid: number;
  readonly keys: number;
  /** Keys whose time had passed by now: they are rightly gone. */
  readonly expired: number;
  /** ISO 8601; everything that Redis had at this time is there. */
  readonly recoveredTo: string;
  readonly from: string;
  /** Copies that could not be used on the way. */
  readonly rejected: readonly RejectedCopy[];
  readonly setAside: string | undefined;
  /** Of the RDB. */
  readonly bytes: number;
  readonly seconds: { readonly download: number; readonly check: number; readonly load: number; readonly total: number };
}

/**
 * Recovers a snapshot as a server of its own, which goes on running: choose, download, decrypt, check, load, count.
 * Throws a `DrError`, with no server left behind and what was moved aside back in its place, where any of it fails.
 */
export async function recoverRedis(context: RunContext, options: RedisRecoveryOptions): Promise<RedisRecovery> {
  const begun = performance.now();
  const record = await chooseSnapshot(context, options.backup);
  await refuseTakenSocket(options.socket);
  const target = await prepareTarget(options.into, { force: options.force === true, label: context.clock.now().toISOString().replaceAll(/[:.-]/g, "") });
  const path = join(target.dir, ".recovered.rdb");
  try {
    context.report({ step: `download ${record.id}`, total: record.sourceBytes, unit: "bytes" });
    const downloading = performance.now();
    const fetched = await fetchObject(context, record, onlyObject(record), path);
    if (target.owner !== undefined) await chown(path, target.owner.uid, target.owner.gid);
    const download = secondsSince(downloading);
    context.report({ step: "check the dump" });
    const checking = performance.now();
    const counts = await checkRdb(path, fetched.bytes, context.signal);
    compareWithRecord(counts, record);
    const check = secondsSince(checking);
    context.report({ step: "load the dump", total: counts.keys });
    const where = { ...(options.socket === undefined ? {} : { socket: options.socket }), ...(options.port === undefined ? {} : { port: options.port }) };
    const server = await startFromRdb({ plan: context.plan, dir: target.dir, rdb: { path, bytes: fetched.bytes }, owner: target.owner, ...where, daemon: true, signal: context.signal });
    const keys = await countOrStop(server, counts, record);
    return {
      backup: record.id, dir: target.dir, socket: server.socket, port: options.port, passwordFile: server.passwordFile, pid: server.pid,
      keys, expired: counts.keys - keys, recoveredTo: record.watermark.time, from: fetched.backend, rejected: fetched.rejected, setAside: target.setAside, bytes: fetched.bytes,
      seconds: { download, check, load: server.loadSeconds, total: secondsSince(begun) },
    };
  } catch (error) {
    await putBack(target);
    throw error;
  } finally {
    await rm(path, { force: true }); // where it went well it has been moved
  }
}

/** What the dump holds against what was counted when it was made. */
export function compareWithRecord(counts: RdbCounts, { id, details }: BackupRecord): void {
  if (details["counted"] !== "dump" || details["keys"] === counts.keys) return;
  throw new DrError({ kind: "failed", what: `the dump holds ${counts.keys} keys, its record says ${JSON.stringify(details["keys"])}`, where: id, todo: "Choose another backup, and find out which of the two was changed." });
}

/** A server may hold fewer keys than its dump only by those whose time has passed. */
export function loadedEnough(loaded: number, { keys, expires }: RdbCounts): boolean {
  return loaded <= keys && loaded >= keys - expires;
}

async function countOrStop(server: IsolatedServer, counts: RdbCounts, { id }: BackupRecord): Promise<number> {
  try {
    const link = await server.connect();
    try {
      const keys = keysIn({ databases: databasesOf(await readInfo(link)) });
      if (loadedEnough(keys, counts)) return keys;
      throw new DrError({ kind: "failed", what: `the recovered server holds ${keys} keys, the dump ${counts.keys} of which ${counts.expires} can expire`, where: id, todo: "Read redis.log in the directory; choose another backup." });
    } finally {
      link.close();
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
}

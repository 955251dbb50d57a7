/** A named point in the WAL that is known to be in the repositories: what a recovery point of all stores rests on. */
import { recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { expiryOf, refuseReadOnly } from "../../backup-record.ts";
import { DrError, messageOf } from "../../errors.ts";
import { checkedName } from "../../recovery/target.ts";
import { secondsSince } from "../../system/clock.ts";
import { waitFor } from "../../system/wait.ts";
import { queryValue, withPostgres } from "./connection.ts";
import { restorePointKind } from "./details.ts";
import { readInfo } from "./info.ts";
import { timelineOf } from "./lsn.ts";
import { openRepository, productionSite, repositoriesOf, type Repository } from "./repositories.ts";

export interface RestorePoint {
  readonly name: string;
  readonly lsn: string;
  /** Everything committed at this time is before the point. */
  readonly time: string;
  readonly timeline: number;
  /** The segment that holds the point. */
  readonly segment: string;
  readonly repositories: readonly { readonly repository: string; readonly error?: string }[];
  /** Record of the catalog by which a recovery finds it again. */
  readonly record: string;
}

interface Point {
  readonly lsn: string;
  readonly segment: string;
  readonly time: string;
}

/**
 * Names the present moment in the WAL, closes its segment and waits until the segment is seen in each repository that
 * can be reached. Throws where none has it in time, or the name is taken.
 */
export async function createRestorePoint(context: RunContext, name: string): Promise<RestorePoint> {
  refuseReadOnly(context, "make a restore point");
  checkedName(name);
  const { records } = await context.catalog.list({ store: "postgres", kind: restorePointKind });
  if (records.some(({ details }) => details["name"] === name)) {
    throw new DrError({ kind: "usage", what: `there is a restore point ${name} already, and a recovery would stop at the first of that name`, where: "the name", todo: "Choose another name." });
  }
  const startedAt = context.clock.now();
  const point = await markPoint(context, name);
  context.report({ step: `waiting for ${point.segment} in the repositories` });
  const seen = await Promise.all(repositoriesOf(context).map((repository) => awaitSegment(context, repository, point.segment)));
  const timeline = timelineOf(point.segment);
  const record: BackupRecord = {
    version: recordVersion, id: context.catalog.newId("postgres", restorePointKind), store: "postgres", kind: restorePointKind,
    startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(),
    watermark: { time: point.time, lsn: point.lsn, timeline },
    // No copy: there is nothing in it to restore, and `latest` must not find it.
    sourceBytes: 0, objects: [], encryption: "none", copies: [], tools: {},
    expiresAt: expiryOf(context.plan, "postgres-diff", startedAt),
    details: { name, segment: point.segment, seen: Object.fromEntries(seen.map((copy) => [copy.backend, copy.status === "ok" ? copy.uri : `not seen: ${copy.error}`])) },
  };
  if (seen.every(({ status }) => status === "failed")) {
    throw new DrError({ kind: "failed", what: `the WAL of the restore point ${name} reached no repository: ${seen.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : "")).join("; ")}`, where: point.segment, todo: "Look at PostgreSQL's log for what its archive_command says." });
  }
  await context.catalog.write(record);
  const repositories = seen.map((copy) => (copy.status === "ok" ? { repository: copy.backend } : { repository: copy.backend, error: copy.error }));
  return { name, lsn: point.lsn, time: point.time, timeline, segment: point.segment, repositories, record: record.id };
}

function markPoint(context: RunContext, name: string): Promise<Point> {
  return withPostgres(context, async (client) => {
    const time = await queryValue(client, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
    const lsn = await queryValue(client, "SELECT pg_create_restore_point($1)::text", [name]);
    const segment = await queryValue(client, "SELECT pg_walfile_name($1::pg_lsn)", [lsn]);
    await client.query("SELECT pg_switch_wal()");
    return { lsn, segment, time };
  });
}

async function awaitSegment(context: RunContext, repository: Repository, segment: string): Promise<CopyResult> {
  const begun = performance.now();
  const { pushBound, pushBoundDegraded } = context.plan.postgres;
  try {
    await repository.backend.check();
    const open = await openRepository(context, repository, productionSite(context));
    const { archiveId } = await readInfo(open);
    const key = `${repository.keyPrefix}/archive/${open.stanza}/${archiveId}/${segment.slice(0, 16)}/${segment}`;
    const found = await waitFor(`the segment ${segment} in the repository ${repository.name}`, () => firstOf(repository, key), { within: pushBound + pushBoundDegraded, every: 0.25, signal: context.signal });
    return { backend: repository.name, status: "ok", uri: repository.backend.uri(found.key), bytes: found.bytes, seconds: secondsSince(begun) };
  } catch (error) {
    context.signal.throwIfAborted();
    return { backend: repository.name, status: "failed", error: messageOf(error) };
  }
}

/** The segment itself: its name goes on with its checksum, not with `.partial` or `.backup`. */
async function firstOf({ backend }: Repository, prefix: string): Promise<{ readonly key: string; readonly bytes: number } | undefined> {
  for await (const { key, bytes } of backend.list(prefix)) if (key.startsWith(`${prefix}-`)) return { key, bytes };
  return undefined;
}

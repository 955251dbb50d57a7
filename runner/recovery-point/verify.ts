/** Verification of a recovery point: its parts, recovered to one moment, are held against each other. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { checkConsistency, memoryFaults } from "../agents/consistency.ts";
import { hasAgents, recoveredAs } from "../agents/recovered.ts";
import type { BackupRecord } from "../catalog/record.ts";
import { onlyObject } from "../copies.ts";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { fetchCopy } from "../fetch-object.ts";
import { stopIsolated } from "../recovery/isolated-server.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { recoverPostgres } from "../stores/postgres/recover.ts";
import { startFromRdb } from "../stores/redis/isolated-server.ts";
import { makeFolder, removeTree } from "../system/files.ts";
import { databaseUser } from "../system/user.ts";
import type { Verification } from "../verification.ts";
import { inVerifyFolder, verifyCopies, type CopyOnTrial } from "../verify-copies.ts";
import { consistencyOf } from "./consistency.ts";
import { isSaved, lacksIn, madePoint, readRecoveryPoint, type RecoveryPoint } from "./record.ts";
import { compareVectors } from "./verify-vectors.ts";

/**
 * Verifies in each backend that every part of the point is there, and in the first that has all of them that the parts
 * fit together: PostgreSQL is recovered to the restore point, Redis is loaded beside it, and every agent's working memory
 * is held against its row; vectors are, as far as the configuration says how. What a part's copies are worth by
 * themselves is found out by its own verification.
 */
export async function verifyRecoveryPoint(context: RunContext, record: BackupRecord): Promise<Verification> {
  const point = readRecoveryPoint(record);
  if (point === undefined) throw new DrError({ kind: "failed", what: "the record does not say what the recovery point consists of", where: record.id, todo: "Choose another (`dr catalog list --store system`)." });
  const { records } = await context.catalog.list();
  let held: { readonly in: string; readonly ok: boolean } | undefined;
  return verifyCopies(context, record, async (copy) => {
    const complete = checkParts(point, records, copy);
    if (!complete) return undefined;
    if (held === undefined) {
      const before = copy.errors.length;
      await holdTogether(context, point, records, copy);
      held = { in: copy.backend.name, ok: copy.errors.length === before };
    } else copy.checks.push({ name: "the parts are those that were held against each other", ok: held.ok, detail: `in ${held.in}` });
    return undefined;
  });
}

/** Whether the backend has every part, by their records, and whether these say that they fit. */
function checkParts(point: RecoveryPoint, records: readonly BackupRecord[], { backend, checks, errors }: CopyOnTrial): boolean {
  const gone = point.parts.filter(isSaved).filter((part) => part.needed && !records.some(({ id }) => id === part.backup)).map(({ store, backup }) => `${store}: ${backup} is not in the catalog any more`);
  const lacks = [...lacksIn(point, backend.name), ...gone].map((lack) => `${backend.name} lacks ${lack}`);
  const { errors: unfit, parts } = consistencyOf(point);
  errors.push(...lacks, ...unfit);
  checks.push({ name: "every part is there, and by its watermark none is ahead of PostgreSQL", ok: lacks.length + unfit.length === 0, detail: parts.map(({ store, standing }) => `${store} ${standing}`).join(", ") });
  return lacks.length === 0;
}

async function holdTogether(context: RunContext, point: RecoveryPoint, records: readonly BackupRecord[], copy: CopyOnTrial): Promise<void> {
  const made = madePoint(point);
  const recordOf = (store: string): BackupRecord | undefined => {
    const part = point.parts.filter(isSaved).find((one) => one.store === store && one.places.some((place) => place.backend === copy.backend.name && place.error === null));
    return records.find(({ id }) => id === part?.backup);
  };
  const redis = recordOf("redis");
  if (made === undefined || redis === undefined) {
    copy.checks.push({ name: "there is nothing to hold against each other", ok: true, detail: "the point has not both of PostgreSQL and Redis" });
    return;
  }
  await withRecoveredPostgres(context, made.name, copy.backend, (postgres) =>
    inVerifyFolder(context, async (dir) => {
      const server = await loadRedis(context, redis, copy.backend, dir);
      try {
        const recovered = recoveredAs(context, { postgres, redis: { socket: server.socket } });
        if (!(await hasAgents(recovered))) return void copy.checks.push({ name: "there is nothing to hold against each other", ok: true, detail: "PostgreSQL has no table of agents" });
        const report = await checkConsistency(recovered);
        const faults = memoryFaults(report);
        copy.errors.push(...faults);
        copy.checks.push({ name: "no agent's working memory knows more than its row", ok: faults.length === 0, detail: `${report.agents} agents, ${report.consistent} as their rows have them, ${report.behind.length} behind, ${report.withoutState} without working memory` });
        await compareVectors(recovered, recordOf("vectors"), copy);
      } finally {
        await server.stop();
      }
    }),
  );
}

async function loadRedis(context: RunContext, record: BackupRecord, backend: StorageBackend, dir: string) {
  const path = join(dir, "dump.rdb");
  const { bytes } = await fetchCopy(backend, onlyObject(record), await context.passphrase(), path, context.signal);
  return startFromRdb({ plan: context.plan, dir, rdb: { path, bytes }, owner: undefined, daemon: false, signal: context.signal });
}

/** A PostgreSQL at the restore point, of this backend's repository alone, for as long as `work` takes. */
async function withRecoveredPostgres<T>(context: RunContext, name: string, backend: StorageBackend, work: (server: { readonly socketDirectory: string; readonly port: number }) => Promise<T>): Promise<T> {
  const owner = databaseUser(context.config.databaseUser);
  const folder = await makeFolder(join(context.config.workDirectory, `verify-${randomBytes(4).toString("hex")}`), { owner });
  try {
    const recovery = await recoverPostgres(context, { backup: "latest", target: { kind: "name", name }, into: join(folder, "data"), socketDirectory: join(folder, "s"), backend: backend.name, throwAway: true });
    try {
      return await work(recovery);
    } finally {
      await stopIsolated({ ...recovery, owner, hbaFile: "", promote: true }, "immediate");
      await removeTree(recovery.runDirectory);
    }
  } finally {
    await removeTree(folder);
  }
}

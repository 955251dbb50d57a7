import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { deadlineOf, expiryOf, recordFailure, refuseReadOnly, type FailedBackup } from "../../backup-record.ts";
import { lateRecords } from "../../catalog/newest.ts";
import { outcomeOf, recordVersion, type BackupRecord, type CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { encryptStream } from "../../encryption/openpgp.ts";
import { DrError } from "../../errors.ts";
import { completeObject } from "../../storage/complete.ts";
import { writeToAll } from "../../storage/fan-out.ts";
import { secondsSince } from "../../system/clock.ts";
import { inOwnFolder, sweepOwnFolders } from "../../system/own-folder.ts";
import { stream } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import type { ConfigurationConfig } from "./config.ts";
import { bytesIn, contentsOf, kind, objectName, schedule, store, type Contents } from "./contents.ts";
import { gather, writeContents, type Gathered } from "./gather.ts";
import type { GitRun } from "./git.ts";

export interface ConfigurationBackup {
  readonly record: BackupRecord;
  readonly outcome: "ok" | "partial";
  /** False: nothing was different, and the record names the object of an earlier run. */
  readonly changed: boolean;
}

export function configurationOf({ config }: RunContext): ConfigurationConfig {
  if (config.configuration !== undefined) return config.configuration;
  throw new DrError({ kind: "usage", what: "the configuration names no repository, no cluster and no state to keep", where: "configuration", todo: "Add `configuration` with what is to be kept." });
}

/**
 * Keeps the configuration: a bundle of each git repository, the cluster's manifests without secrets' values, and Pulumi's
 * checkpoints, packed and encrypted into one object that is kept for ever. A run that finds nothing changed makes no
 * object and leaves a record that says so, which goes with the recovery window. Throws where any source cannot be read.
 */
export async function backUpConfiguration(context: RunContext): Promise<ConfigurationBackup> {
  refuseReadOnly(context, "back up the configuration");
  const config = configurationOf(context);
  const attempt: FailedBackup = { id: context.catalog.newId(store, kind), store, kind, schedule, startedAt: context.clock.now() };
  const deadline = deadlineOf(context.plan, schedule);
  const options: GitRun = { deadline, signal: AbortSignal.any([context.signal, AbortSignal.timeout(deadline * 1_000)]) };
  try {
    await sweepOwnFolders(folderOf(context)); // also where nothing has changed, and no folder is needed
    const gathered = await gather(context, config, options);
    const unchanged = await recordUnchanged(context, attempt, gathered, options.signal);
    const record = unchanged ?? (await storeContents(context, attempt, config, gathered, options));
    const { failed } = await context.catalog.write(record);
    return { record, outcome: failed.length > 0 || outcomeOf(record) === "partial" ? "partial" : "ok", changed: unchanged === undefined };
  } catch (error) {
    const late = options.signal.aborted && !context.signal.aborted;
    const told = late ? new DrError({ kind: "failed", what: `the run did not end within its ${deadline} s`, where: attempt.id, todo: "See which source is slow; then start it again.", cause: error }) : error;
    await recordFailure(context, attempt, told);
    throw told;
  }
}

/** The record of a run that has nothing to store, where the newest backup has the same content and still stands. */
async function recordUnchanged(context: RunContext, attempt: FailedBackup, { fingerprint }: Gathered, signal: AbortSignal): Promise<BackupRecord | undefined> {
  const begun = performance.now();
  const newest = (await lateRecords(context, store)).findLast((record) => record.kind === kind && outcomeOf(record) !== "failed");
  const [object] = newest?.objects ?? [];
  if (newest === undefined || object === undefined || contentsOf(newest).fingerprint !== fingerprint) return undefined;
  const { errors, found } = await completeObject(context.backends, object, signal);
  if (!found) return undefined;
  const copies = context.backends.map((backend): CopyResult => {
    const error = errors.get(backend.name);
    return error === undefined ? { backend: backend.name, status: "ok", uri: backend.uri(object.key), bytes: object.bytes, seconds: secondsSince(begun) } : { backend: backend.name, status: "failed", error };
  });
  const { window } = context.plan.recovery;
  return { ...recordOf(context, attempt, newest.sourceBytes), objects: [object], copies, tools: newest.tools, expiresAt: new Date(attempt.startedAt.getTime() + window * 1_000).toISOString(), details: { ...newest.details, unchangedSince: newest.details["unchangedSince"] ?? newest.id } };
}

/** Where bundles and states lie in the clear while they are packed. */
const folderOf = ({ config }: RunContext): string => join(config.workDirectory, "configuration");

function storeContents(context: RunContext, attempt: FailedBackup, config: ConfigurationConfig, gathered: Gathered, options: GitRun): Promise<BackupRecord> {
  return inOwnFolder(folderOf(context), async (own) => {
    const folder = join(own, "contents");
    await mkdir(folder, { mode: 0o700 });
    await mkdir(`${folder}.clones`, { mode: 0o700 });
    const contents = await writeContents(context, config, gathered, folder, options);
    return pack(context, attempt, folder, contents, options);
  });
}

async function pack(context: RunContext, attempt: FailedBackup, folder: string, contents: Contents, options: GitRun): Promise<BackupRecord> {
  const [tar, passphrase, sourceBytes] = [await findProgram("tar"), await context.passphrase(), await bytesIn(folder)];
  const key = `${store}/${attempt.id}/${objectName}`;
  // Nothing may be awaited between its start and its reader: Node throws away what a child that has ended left unread.
  const packing = stream(tar, ["--create", "--gzip", "--directory", folder, "--sort=name", "--numeric-owner", "--owner=0", "--group=0", "."], options);
  packing.stdin.end();
  const written = await writeToAll(context.backends, key, encryptStream(packing.stdout, passphrase, { filename: "configuration.tar.gz" }), {
    signal: options.signal,
    onBytes: (done) => context.report({ step: "store the configuration", done, unit: "bytes" }),
  });
  if (written.copies.every(({ status }) => status === "failed")) {
    packing.kill(); // nobody reads it any more
    await packing.done.catch(() => undefined); // it was killed
    throw new DrError({ kind: "unavailable", what: `no backend took it: ${written.copies.map((copy) => (copy.status === "failed" ? `${copy.backend}: ${copy.error}` : copy.backend)).join("; ")}`, where: attempt.id, todo: "See why each backend failed; then back up again." });
  }
  await packing.done;
  return { ...recordOf(context, attempt, sourceBytes), objects: [{ key, bytes: written.bytes, sha256: written.sha256 }], copies: written.copies, tools: {}, expiresAt: expiryOf(context.plan, schedule, attempt.startedAt), details: detailsOf(contents) };
}

/** `undefined` is no JSON: what is absent is left out. */
const detailsOf = (contents: Contents): BackupRecord["details"] => z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(contents)));

const recordOf = (context: RunContext, { id, startedAt }: FailedBackup, sourceBytes: number) =>
  ({ version: recordVersion, id, store, kind, startedAt: startedAt.toISOString(), finishedAt: context.clock.now().toISOString(), watermark: { time: startedAt.toISOString() }, sourceBytes, encryption: "openpgp" }) as const;

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { z } from "zod";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { findBackup } from "../catalog/newest.ts";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { decryptStream } from "../encryption/openpgp.ts";
import { DrError, messageOf } from "../errors.ts";
import { prepareDirectory, putBack } from "../recovery/emptied-directory.ts";
import { checkedStream } from "../storage/complete.ts";
import { makeFolder, writeDurably } from "../system/files.ts";
import { stream } from "../system/process.ts";
import { findProgram } from "../system/programs.ts";
import { kind, store } from "./back-up.ts";
import { openDepot } from "./open.ts";
import { costOf, termsOf, type RetrievalTier } from "./retrieval.ts";

export interface ArchiveRecoveryOptions {
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  /** Becomes a folder backend; empty or absent. */
  readonly into: string;
  readonly tier: RetrievalTier;
  readonly force?: boolean;
}

const detailsSchema = z.object({
  week: z.string(),
  storageClass: z.enum(["GLACIER", "DEEP_ARCHIVE"]),
  sha256: z.string(),
  reference: z.record(z.string(), z.string()),
  backups: z.array(z.object({ store: z.string(), backup: z.string(), recoveredTo: z.string(), from: z.string().optional() })),
});

export interface ArchivePlan {
  readonly backup: string;
  readonly week: string;
  readonly bytes: number;
  readonly backups: z.infer<typeof detailsSchema>["backups"];
  readonly tier: RetrievalTier;
  /** Seconds, by what AWS says of the tier. */
  readonly expected: { readonly from: number; readonly to: number };
  /** Of the retrieval, without what leaving AWS costs. */
  readonly usd: number;
  /** What a person should know before it starts. */
  readonly warning?: string;
}

export type ArchiveRecovery = ArchivePlan & ({ readonly state: "waiting"; readonly since: string } | { readonly state: "restored"; readonly dir: string; readonly setAside: string | undefined });

/** Seconds for the transfer and `tar`, at 10 MiB/s for 200 GiB. */
const unpackDeadline = 20_480;

export function archiveDetails({ id, details }: BackupRecord): z.infer<typeof detailsSchema> {
  const parsed = detailsSchema.safeParse(details);
  if (parsed.success) return parsed.data;
  throw new DrError({ kind: "failed", what: "the record does not say where the archive is", where: id, todo: "Choose another archive (`dr catalog list --store archive`)." });
}

/** What a retrieval brings, how long it takes and what it costs; nothing is asked of the archive. */
export async function planArchiveRecovery(context: RunContext, backup: string, tier: RetrievalTier): Promise<ArchivePlan> {
  return planOf(await findBackup(context, store, kind, backup), tier);
}

function planOf(record: BackupRecord, tier: RetrievalTier): ArchivePlan {
  const { week, storageClass, backups } = archiveDetails(record);
  const terms = termsOf(storageClass, tier);
  if (terms === undefined) throw new DrError({ kind: "usage", what: `${storageClass} has no retrieval ${tier}`, where: "--tier", todo: "Name standard or bulk." });
  const bytes = record.copies.flatMap((copy) => (copy.status === "ok" ? [copy.bytes] : []))[0] ?? 0;
  const tooBig = terms.promisedUpTo !== undefined && bytes > terms.promisedUpTo;
  return {
    backup: record.id, week, bytes, backups, tier, expected: { from: terms.from, to: terms.to }, usd: costOf(terms, bytes),
    ...(tooBig ? { warning: `AWS promises this time for ${formatSize(terms.promisedUpTo ?? 0)} at the most, and this archive has ${formatSize(bytes)}` } : {}),
  };
}

const memory = z.object({ job: z.string(), tier: z.string() });
const memoryOf = async (context: RunContext, id: string): Promise<string> => join(await makeFolder(join(context.config.workDirectory, "archive")), `${id}.json`);

/** The retrieval that an earlier run began. */
async function remembered(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text === "" ? undefined : memory.parse(JSON.parse(text)).job;
}

/**
 * Retrieves an archive into a directory. The first run asks for it and ends; a later one finds what was asked for in its
 * work directory (S3 knows it by itself) and, when it is there, unpacks it: all of it, or the directory is as before.
 */
export async function recoverArchive(context: RunContext, options: ArchiveRecoveryOptions): Promise<ArchiveRecovery> {
  const record = await findBackup(context, store, kind, options.backup);
  const plan = planOf(record, options.tier);
  context.report({ step: `retrieval ${plan.tier} of ${formatSize(plan.bytes)}: ${formatDuration(plan.expected.from)} to ${formatDuration(plan.expected.to)}, about ${plan.usd.toFixed(2)} USD` });
  const depot = await openDepot(context);
  try {
    const path = await memoryOf(context, record.id);
    const job = await remembered(path);
    const retrieval = await depot.retrieve(archiveDetails(record).reference, options.tier, job);
    if (retrieval.state === "waiting") {
      await writeDurably(path, JSON.stringify({ job: retrieval.job, tier: options.tier }), { mode: 0o600 });
      return { ...plan, state: "waiting", since: retrieval.since.toISOString() };
    }
    const { body } = retrieval;
    try {
      const target = await prepareDirectory(options.into, { force: options.force === true, label: context.clock.now().toISOString().replaceAll(/[:.-]/g, "") });
      try {
        await unpack(context, record, body, target.dir);
      } catch (error) {
        await putBack(target);
        throw error;
      }
      await rm(path, { force: true });
      return { ...plan, state: "restored", dir: target.dir, setAside: target.setAside };
    } finally {
      body.destroy();
    }
  } finally {
    depot.close();
  }
}

async function unpack(context: RunContext, record: BackupRecord, body: Readable, dir: string): Promise<void> {
  const { sha256 } = archiveDetails(record);
  const [program, passphrase] = [await findProgram("tar"), await context.passphrase()];
  const checked = checkedStream({ key: record.id, bytes: 0, sha256 }, record.id);
  pipeline(body, checked, () => undefined); // its error is that of `checked`
  const plain = decryptStream(checked, passphrase);
  const untar = stream(program, ["--extract", "--directory", dir, "--no-same-owner", "--no-same-permissions"], { deadline: unpackDeadline, signal: context.signal });
  untar.stdout.resume();
  try {
    plain.pipe(untar.stdin);
    // What came out counts only when the message's own checksum, the record's and tar's word are all good.
    await finished(plain);
    await untar.done;
  } catch (cause) {
    plain.destroy();
    untar.kill();
    await untar.done.catch(() => undefined); // it was killed
    context.signal.throwIfAborted();
    if (cause instanceof DrError) throw cause;
    throw new DrError({ kind: "failed", what: `the archive could not be unpacked: ${messageOf(cause)}`, where: record.id, todo: "Start it again; choose another week's archive if it comes back.", cause });
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackupRecord, CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder } from "../../system/files.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type MeasuredWork, type Verification, type VerificationCheck } from "../../verification.ts";
import { fetchCopy } from "../redis/fetch.ts";
import { blocksOf, type StoredBlock } from "./details.ts";
import { startPrometheus, type IsolatedPrometheus } from "./isolated-server.ts";
import { restoreBlocks } from "./restore.ts";

/**
 * Verifies every copy of a snapshot, or of one block: every block that it needs, fetched from that backend alone, with its
 * checksum; unpacked; opened by a real Prometheus; and queried, block by block.
 */
export async function verifyMetrics(context: RunContext, record: BackupRecord): Promise<Verification> {
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) copies.push(await verifyCopy(context, record, copy));
  return verificationOf(record.id, record.store, copies);
}

async function verifyCopy(context: RunContext, record: BackupRecord, copy: CopyResult): Promise<CopyVerification> {
  const begun = performance.now();
  const checks: VerificationCheck[] = [];
  const failed = (error: string) => copyVerificationOf(copy.backend, checks, [error], secondsSince(begun));
  if (copy.status === "failed") return failed(`the copy was never whole: ${copy.error}`);
  const backend = context.backends.find(({ name }) => name === copy.backend);
  if (backend === undefined) return failed(`the configuration has no backend ${copy.backend}`);
  context.report({ step: `verify ${record.id} in ${copy.backend}` });
  const dir = await mkdtemp(join(await makeFolder(join(context.config.workDirectory, "verify")), "m-"));
  try {
    const measured = await restoreAndQuery(context, record, backend, dir, checks);
    return copyVerificationOf(copy.backend, checks, [], secondsSince(begun), measured);
  } catch (error) {
    context.signal.throwIfAborted();
    // A missing program says nothing about the copy.
    if (error instanceof DrError && error.kind === "unavailable" && error.where.startsWith("PATH")) throw error;
    return failed(`${copy.backend}: ${messageOf(error)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function restoreAndQuery(context: RunContext, record: BackupRecord, backend: StorageBackend, dir: string, checks: VerificationCheck[]): Promise<MeasuredWork> {
  const { signal } = context;
  const passphrase = await context.passphrase();
  const work = await restoreBlocks(context, record, dir, (object, path) => fetchCopy(backend, object, passphrase, path, signal));
  const blocks = blocksOf(record);
  checks.push({ name: "every block has the record's sha256, decrypts and unpacks", ok: blocks.length > 0, detail: `${blocks.length} blocks` });
  const server = await startPrometheus(dir, signal);
  try {
    const loaded = await server.blocksLoaded();
    checks.push({ name: "a Prometheus opens them", ok: loaded === blocks.length, detail: `${loaded} of ${blocks.length} blocks` });
    checks.push(await queried(server, blocks));
  } finally {
    await server.stop();
  }
  return work;
}

async function queried(server: IsolatedPrometheus, blocks: readonly StoredBlock[]): Promise<VerificationCheck> {
  const silent: string[] = [];
  let answer: { readonly metric: string; readonly series: number } | undefined;
  for (const block of blocks) {
    const found = await server.query(block);
    if (block.samples > 0 && (found === undefined || found.series === 0)) silent.push(block.ulid);
    else answer = found ?? answer;
  }
  return { name: "each answers a query", ok: silent.length === 0, detail: silent.length > 0 ? `no samples out of ${silent.join(", ")}` : `e.g. ${answer?.series ?? 0} series of ${answer?.metric ?? "nothing"}` };
}

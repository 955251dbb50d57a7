import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackupRecord, CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder } from "../../system/files.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type MeasuredWork, type Verification, type VerificationCheck } from "../../verification.ts";
import { checkRdb } from "./check-rdb.ts";
import { fetchCopy, onlyObject } from "./fetch.ts";
import { startFromRdb } from "./isolated-server.ts";
import { compareWithRecord, loadedEnough } from "./recover.ts";
import { sampleContent } from "./sample.ts";
import { databasesOf, keysIn, readInfo } from "./server-state.ts";

/**
 * Verifies every copy of a snapshot by restoring it: checksum, decryption, `redis-check-rdb`, a server that loads it,
 * its number of keys, and a sample of contents. What is wrong with a copy is in its `errors`; only what keeps all of
 * them from being verified is thrown.
 */
export async function verifyRedis(context: RunContext, record: BackupRecord): Promise<Verification> {
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) copies.push(await verifyCopy(context, record, copy));
  return verificationOf(record.id, record.store, copies);
}

async function verifyCopy(context: RunContext, record: BackupRecord, copy: CopyResult): Promise<CopyVerification> {
  const begun = performance.now();
  const checks: VerificationCheck[] = [];
  const failed = (error: string) => copyVerificationOf(copy.backend, checks, [error], secondsSince(begun));
  if (copy.status === "failed") return failed(`the copy was never written: ${copy.error}`);
  const backend = context.backends.find(({ name }) => name === copy.backend);
  if (backend === undefined) return failed(`the configuration has no backend ${copy.backend}`);
  context.report({ step: `verify ${record.id} in ${copy.backend}` });
  const dir = await mkdtemp(join(await makeFolder(join(context.config.workDirectory, "verify")), "r-"));
  try {
    const { measured, errors } = await restoreAndQuery(context, record, backend, dir, checks);
    return copyVerificationOf(copy.backend, checks, errors, secondsSince(begun), measured);
  } catch (error) {
    context.signal.throwIfAborted();
    // A missing program says nothing about the copy.
    if (error instanceof DrError && error.kind === "unavailable" && error.where.startsWith("PATH")) throw error;
    return failed(`${onlyObject(record).key} in ${copy.backend}: ${messageOf(error)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function restoreAndQuery(context: RunContext, record: BackupRecord, backend: StorageBackend, dir: string, checks: VerificationCheck[]): Promise<{ measured: MeasuredWork; errors: string[] }> {
  const { signal, plan } = context;
  const object = onlyObject(record);
  const path = join(dir, "dump.rdb");
  const downloading = performance.now();
  const { bytes } = await fetchCopy(backend, object, await context.passphrase(), path, signal);
  const downloadSeconds = secondsSince(downloading);
  checks.push({ name: "sha256 is the record's and the message decrypts", ok: true, detail: backend.uri(object.key) });
  const counts = await checkRdb(path, bytes, signal);
  compareWithRecord(counts, record);
  checks.push({ name: "redis-check-rdb reads every key", ok: true, detail: `${counts.keys} keys, ${counts.expires} of which can expire` });
  const server = await startFromRdb({ plan, dir, rdb: { path, bytes }, owner: undefined, daemon: false, signal });
  try {
    const link = await server.connect();
    try {
      const loaded = keysIn({ databases: databasesOf(await readInfo(link)) });
      checks.push({ name: "a server loads it", ok: loadedEnough(loaded, counts), detail: `${loaded} of ${counts.keys} keys` });
      const sample = await sampleContent(link);
      checks.push({ name: "sampled contents are readable", ok: sample.errors.length === 0, detail: sample.summary });
      const measured = { redisLoadBytes: bytes, redisLoadSeconds: server.loadSeconds, downloadBytes: object.bytes, downloadSeconds };
      return { measured, errors: sample.errors.map((error) => `${object.key} in ${backend.name}: ${error}`) };
    } finally {
      link.close();
    }
  } finally {
    await server.stop();
  }
}

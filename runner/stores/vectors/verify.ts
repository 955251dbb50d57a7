import type { BackupRecord, CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { secondsSince } from "../../system/clock.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type MeasuredWork, type Verification, type VerificationCheck } from "../../verification.ts";
import { BlockReader, readManifest } from "./blocks.ts";

/**
 * Verifies every copy of a backup: each piece of it is read from that backend alone, opened and compared with its
 * checksum; the whole is put together and, where the store's program is here, restored into a temporary server, counted,
 * and compared with the vectors and the searches that were sampled when it was made.
 */
export async function verifyVectors(context: RunContext, record: BackupRecord): Promise<Verification> {
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
  try {
    const measured = await checkContent(context, record, backend, checks);
    return copyVerificationOf(copy.backend, checks, [], secondsSince(begun), measured);
  } catch (error) {
    context.signal.throwIfAborted();
    return failed(messageOf(error));
  }
}

async function checkContent(context: RunContext, record: BackupRecord, backend: StorageBackend, checks: VerificationCheck[]): Promise<MeasuredWork> {
  const reader = new BlockReader(context, [backend]);
  const manifest = await readManifest(reader, record);
  checks.push({ name: "the manifest has the record's sha256 and opens", ok: true, detail: backend.uri(manifest.objects[0]?.key ?? record.id) });
  const { content } = manifest;
  if (content.provider === "qdrant") return (await import("./qdrant/verify.ts")).verifyQdrantContent(context, reader, manifest, content, checks);
  return (await import("./pinecone/verify.ts")).verifyPineconeContent(context, reader, manifest, content, checks);
}

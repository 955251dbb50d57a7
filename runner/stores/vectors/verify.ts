import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import type { MeasuredWork, Verification } from "../../verification.ts";
import { verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import { BlockReader, readManifest } from "./blocks.ts";

/**
 * Verifies every copy of a backup: each piece of it is read from that backend alone, opened and compared with its
 * checksum; the whole is put together and, where the store's program is here, restored into a temporary server, counted,
 * and compared with the vectors and the searches that were sampled when it was made.
 */
export function verifyVectors(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => checkContent(context, record, copy));
}

async function checkContent(context: RunContext, record: BackupRecord, { backend, checks }: CopyOnTrial): Promise<MeasuredWork> {
  const reader = new BlockReader(context, [backend]);
  const manifest = await readManifest(reader, record);
  checks.push({ name: "the manifest has the record's sha256 and opens", ok: true, detail: backend.uri(manifest.objects[0]?.key ?? record.id) });
  const { content } = manifest;
  if (content.provider === "qdrant") return (await import("./qdrant/verify.ts")).verifyQdrantContent(context, reader, manifest, content, checks);
  return (await import("./pinecone/verify.ts")).verifyPineconeContent(context, reader, manifest, content, checks);
}

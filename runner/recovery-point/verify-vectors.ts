import { checkVectors, vectorFaults } from "../agents/vectors.ts";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { BlockReader, readManifest } from "../stores/vectors/blocks.ts";
import { restoreQdrant } from "../stores/vectors/qdrant/restore.ts";
import { startTemporaryQdrant } from "../stores/vectors/qdrant/temporary-server.ts";
import { lookUpProgram } from "../system/programs.ts";
import { inVerifyFolder, type CopyOnTrial } from "../verify-copies.ts";

/**
 * Holds a recovery point's vectors against the agents of the recovered PostgreSQL, restored into a temporary server. Where
 * that cannot be, the check says so: a recovery into real servers does it then.
 */
export async function compareVectors(recovered: RunContext, record: BackupRecord | undefined, { backend, checks, errors }: CopyOnTrial): Promise<void> {
  const { vectors } = recovered.config;
  if (record === undefined || vectors === undefined) return;
  const program = await lookUpProgram("qdrant");
  if (vectors.references === undefined || vectors.kind === "pinecone" || program === undefined) {
    const detail = vectors.references === undefined ? "the configuration has no `vectors.references`" : vectors.kind === "pinecone" ? "Pinecone runs nowhere but at Pinecone" : "there is no qdrant on this machine's PATH";
    checks.push({ name: "vectors were not held against agents", ok: true, detail });
    return;
  }
  const reader = new BlockReader(recovered, [backend]);
  const manifest = await readManifest(reader, record);
  const { content } = manifest;
  if (content.provider !== "qdrant") return;
  await inVerifyFolder(recovered, async (dir) => {
    const server = await startTemporaryQdrant(program, dir, recovered.signal);
    try {
      await restoreQdrant(recovered, reader, manifest, content, { nodes: [server.node] });
      const there = { ...recovered, config: { ...recovered.config, vectors: { kind: "qdrant" as const, nodes: [server.url], apiKeyFile: server.apiKeyFile, references: vectors.references } } };
      const fit = await checkVectors(there, new Date(record.watermark.time));
      if (fit === undefined) return;
      const faults = vectorFaults(fit);
      errors.push(...faults);
      checks.push({ name: "sampled vectors and rows name each other rightly", ok: faults.length === 0, detail: `${fit.vectors} vectors, ${fit.rows} rows, ${fit.late} of them younger than the vectors' backup` });
    } finally {
      await server.stop();
    }
  });
}

import type { RunContext } from "../../../context.ts";
import { secondsSince } from "../../../system/clock.ts";
import { lookUpProgram } from "../../../system/programs.ts";
import type { MeasuredWork, VerificationCheck } from "../../../verification.ts";
import { inVerifyFolder } from "../../../verify-copies.ts";
import type { BlockReader } from "../blocks.ts";
import type { Manifest, QdrantContent } from "../manifest.ts";
import { restoreQdrant, snapshotBytes } from "./restore.ts";
import { startTemporaryQdrant } from "./temporary-server.ts";

/** Throws what names the piece that is damaged, or the collection that is not as it was. */
export async function verifyQdrantContent(context: RunContext, reader: BlockReader, manifest: Manifest, content: QdrantContent, checks: VerificationCheck[]): Promise<MeasuredWork> {
  const program = await lookUpProgram("qdrant");
  if (program === undefined) return readEverything(reader, manifest, content, checks);
  return inVerifyFolder(context, async (dir) => {
    const server = await startTemporaryQdrant(program, dir, context.signal);
    try {
      const begun = performance.now();
      // Each snapshot is put together on its way to the server, which compares its checksum once more.
      const { bytes, collections, points } = await restoreQdrant(context, reader, manifest, content, { nodes: [server.node] });
      const seconds = secondsSince(begun);
      const aliases = await server.node.aliases();
      checks.push(
        { name: "restored into a temporary Qdrant", ok: true, detail: `${collections} collections, ${points} points` },
        { name: "sampled vectors, payloads and searches are as they were", ok: true, detail: sampled(content) },
        { name: "aliases lead where they led", ok: content.aliases.every(({ alias, collection }) => aliases.some((found) => found.alias === alias && found.collection === collection)), detail: `${content.aliases.length} aliases` },
      );
      return { downloadBytes: reader.bytes, downloadSeconds: seconds, vectorsRestoreBytes: bytes, vectorsRestoreSeconds: seconds };
    } finally {
      await server.stop();
    }
  });
}

const sampled = ({ collections }: QdrantContent): string => {
  const sum = (of: "points" | "searches") => collections.reduce((count, { sample }) => count + sample[of].length, 0);
  return `${sum("points")} points, ${sum("searches")} searches`;
};

/** Without Qdrant's program: the snapshots are put together and are, byte for byte, what the server made. */
async function readEverything(reader: BlockReader, manifest: Manifest, { collections }: QdrantContent, checks: VerificationCheck[]): Promise<MeasuredWork> {
  const begun = performance.now();
  let snapshots = 0;
  let bytes = 0;
  for (const collection of collections) {
    for (const snapshot of collection.snapshots) {
      for await (const piece of snapshotBytes(reader, manifest, snapshot)) bytes += piece.length;
      snapshots += 1;
    }
  }
  checks.push({ name: "every snapshot is byte for byte what Qdrant made, by its own sha256", ok: true, detail: `${snapshots} snapshots, ${bytes} bytes` });
  checks.push({ name: "not restored: there is no qdrant on this machine's PATH", ok: true, detail: "counts, vectors and searches were not compared; verify where Qdrant's program is, or recover into an empty node" });
  return { downloadBytes: reader.bytes, downloadSeconds: secondsSince(begun) };
}

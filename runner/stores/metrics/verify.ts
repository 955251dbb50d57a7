import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { fetchCopy } from "../../fetch-object.ts";
import type { MeasuredWork, Verification, VerificationCheck } from "../../verification.ts";
import { inVerifyFolder, verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import { blocksOf, type StoredBlock } from "./details.ts";
import { startPrometheus, type IsolatedPrometheus } from "./isolated-server.ts";
import { restoreBlocks } from "./restore.ts";

/**
 * Verifies every copy of a snapshot, or of one block: every block that it needs, fetched from that backend alone, with its
 * checksum; unpacked; opened by a real Prometheus; and queried, block by block.
 */
export function verifyMetrics(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => inVerifyFolder(context, (dir) => restoreAndQuery(context, record, copy, dir)));
}

async function restoreAndQuery(context: RunContext, record: BackupRecord, { backend, checks }: CopyOnTrial, dir: string): Promise<MeasuredWork> {
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

import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { readBlock } from "./blocks.ts";
import { blocksOf, type StoredBlock } from "./details.ts";

/** Seconds for `tar` to unpack one block: 20 GiB at 10 MiB/s. */
const unpackDeadline = 2_048;

export interface RestoredBlocks {
  /** Of the objects. */
  readonly downloadBytes: number;
  readonly downloadSeconds: number;
}

/**
 * Brings every block of a record into `dir`, one after the other: at most one is there twice at a time. `fetch` puts an
 * object, decrypted, into a file. Throws where a block is not the one that was stored.
 */
export async function restoreBlocks(context: RunContext, record: BackupRecord, dir: string, fetch: (object: StoredObject, path: string) => Promise<unknown>): Promise<RestoredBlocks> {
  let downloadBytes = 0;
  let downloadSeconds = 0;
  for (const block of blocksOf(record)) {
    const object = record.objects.find(({ key }) => key === block.key);
    if (object === undefined) throw new DrError({ kind: "failed", what: `the record names no object for the block ${block.ulid}`, where: record.id, todo: "Choose another backup." });
    context.report({ step: `restore block ${block.ulid}`, total: object.bytes, unit: "bytes" });
    const begun = performance.now();
    const path = join(dir, `.${block.ulid}.tar`);
    try {
      await fetch(object, path);
      downloadSeconds += (performance.now() - begun) / 1_000;
      downloadBytes += object.bytes;
      await unpack(path, dir, block, context.signal);
    } finally {
      await rm(path, { force: true });
    }
  }
  return { downloadBytes, downloadSeconds };
}

/** Into a folder of its own first: a block that is half there must not look like one. */
async function unpack(path: string, dir: string, block: StoredBlock, signal: AbortSignal): Promise<void> {
  const folder = await makeFolder(join(dir, `.${block.ulid}.unpacked`));
  try {
    await run(await findProgram("tar"), ["--extract", "--file", path, "--directory", folder, "--no-same-owner", "--no-same-permissions"], { deadline: unpackDeadline, signal });
    const found = await readBlock(folder, block.ulid);
    if (found.fingerprint !== block.fingerprint) throw new DrError({ kind: "failed", what: `the block ${block.ulid} is not the one that was stored: ${found.samples} samples in ${found.bytes} bytes, ${block.samples} in ${block.bytes} expected`, where: path, todo: "Choose another backup." });
    await rename(join(folder, block.ulid), join(dir, block.ulid));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

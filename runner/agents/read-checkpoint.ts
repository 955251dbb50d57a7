import { buffer } from "node:stream/consumers";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { addRejected, firstUsable, type RejectedCopy } from "../copies.ts";
import { DrError } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { indexObject, openBlock, openIndex, sha256, type Block, type CheckpointedAgent, type CheckpointIndex } from "./block.ts";

const damaged = (where: string, found: string, expected: string) =>
  new DrError({ kind: "failed", what: `it is damaged: its sha256 is ${found}, it was written with ${expected}`, where, todo: "Use another backend's copy, and find out what changed this one." });

export async function readIndexFrom(backend: StorageBackend, record: BackupRecord, passphrase: string, signal: AbortSignal): Promise<CheckpointIndex> {
  const object = indexObject(record);
  const bytes = await backend.read(object.key, signal);
  const where = backend.uri(object.key);
  const found = sha256(bytes);
  if (found !== object.sha256) throw damaged(where, found, object.sha256);
  return openIndex(bytes, passphrase, where);
}

/** One ranged read, one message. The error names the block, its place and its object. */
export async function readBlockFrom(backend: StorageBackend, index: CheckpointIndex, block: Block, passphrase: string, signal: AbortSignal, wanted?: ReadonlySet<string>): Promise<CheckpointedAgent[]> {
  const { offset, length } = block;
  const where = `block ${index.blocks.indexOf(block) + 1} of ${index.blocks.length} in ${backend.uri(index.object)}, bytes ${offset} to ${offset + length - 1}`;
  const bytes = await buffer(await backend.get(index.object, { offset, length }, signal));
  const found = sha256(bytes);
  if (found !== block.sha256) throw damaged(where, found, block.sha256);
  return openBlock(bytes, passphrase, block, where, wanted);
}

export const readIndex = async (context: RunContext, record: BackupRecord, rejected: RejectedCopy[]): Promise<CheckpointIndex> => {
  const passphrase = await context.passphrase();
  const { value, rejected: more } = await firstUsable(context, record, "the checkpoint's index", (backend) => readIndexFrom(backend, record, passphrase, context.signal));
  addRejected(rejected, more);
  return value;
};

export const readBlock = async (context: RunContext, record: BackupRecord, index: CheckpointIndex, block: Block, wanted: ReadonlySet<string>, rejected: RejectedCopy[]): Promise<CheckpointedAgent[]> => {
  const passphrase = await context.passphrase();
  const { value, rejected: more } = await firstUsable(context, record, `block ${index.blocks.indexOf(block) + 1} of the checkpoint`, (backend) => readBlockFrom(backend, index, block, passphrase, context.signal, wanted));
  addRejected(rejected, more);
  return value;
};

import { buffer } from "node:stream/consumers";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { indexObject, openBlock, openIndex, sha256, type Block, type CheckpointedAgent, type CheckpointIndex } from "./block.ts";

/** Something that one backend holds damaged or not at all, by name; another backend's copy was used instead. */
export interface RejectedPart {
  readonly backend: string;
  readonly error: string;
}

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

/** Reads a part from the first backend that has it whole, in the configuration's order. */
async function fromAny<T>(context: RunContext, record: BackupRecord, what: string, rejected: RejectedPart[], read: (backend: StorageBackend) => Promise<T>): Promise<T> {
  const failures: RejectedPart[] = [];
  for (const backend of context.backends) {
    const copy = record.copies.find((candidate) => candidate.backend === backend.name);
    if (copy?.status !== "ok") {
      failures.push({ backend: backend.name, error: copy === undefined ? "the record names no copy here" : `was never written: ${copy.error}` });
      continue;
    }
    try {
      const part = await read(backend);
      rejected.push(...failures.filter((failure) => !rejected.some(({ backend: name, error }) => name === failure.backend && error === failure.error)));
      return part;
    } catch (error) {
      context.signal.throwIfAborted();
      failures.push({ backend: backend.name, error: messageOf(error) });
    }
  }
  throw new DrError({ kind: "failed", what: `no backend has ${what} whole: ${failures.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: record.id, todo: "Correct what is named, or recover to an earlier time with --at." });
}

export const readIndex = async (context: RunContext, record: BackupRecord, rejected: RejectedPart[]): Promise<CheckpointIndex> => {
  const passphrase = await context.passphrase();
  return fromAny(context, record, "the checkpoint's index", rejected, (backend) => readIndexFrom(backend, record, passphrase, context.signal));
};

export const readBlock = async (context: RunContext, record: BackupRecord, index: CheckpointIndex, block: Block, wanted: ReadonlySet<string>, rejected: RejectedPart[]): Promise<CheckpointedAgent[]> => {
  const passphrase = await context.passphrase();
  return fromAny(context, record, `block ${index.blocks.indexOf(block) + 1} of the checkpoint`, rejected, (backend) => readBlockFrom(backend, index, block, passphrase, context.signal, wanted));
};

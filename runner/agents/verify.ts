import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { Crc64 } from "../stores/redis/crc64.ts";
import type { Verification } from "../verification.ts";
import { verifyCopies, type CopyOnTrial } from "../verify-copies.ts";
import { indexObject, type CheckpointedAgent } from "./block.ts";
import { readBlockFrom, readIndexFrom } from "./read-checkpoint.ts";
import { agentOfKey } from "./schema.ts";

/** DUMP's answer ends with a version (2 bytes) and the checksum of all before it (8 bytes). */
const checksumBytes = 8;

/**
 * Verifies every copy of a checkpoint: the index, then each block by the same ranged read that a recovery does, each
 * agent in it, and the checksum of each key. Errors name the block or the agent.
 */
export function verifyAgents(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => verifyBlocks(context, record, copy));
}

async function verifyBlocks(context: RunContext, record: BackupRecord, { backend, checks, errors }: CopyOnTrial): Promise<undefined> {
  const { signal } = context;
  const passphrase = await context.passphrase();
  let agents = 0;
  let keys = 0;
  const index = await readIndexFrom(backend, record, passphrase, signal);
  checks.push({ name: "the index is whole", ok: true, detail: backend.uri(indexObject(record).key) });
  for (const block of index.blocks) {
    context.report({ step: `verify ${record.id} in ${backend.name}`, done: agents, total: Number(record.details["agents"]), unit: "agents" });
    try {
      const held = await readBlockFrom(backend, index, block, passphrase, signal);
      agents += held.length;
      keys += held.reduce((sum, agent) => sum + agent.keys.length, 0);
      errors.push(...held.flatMap(faultsOf));
    } catch (error) {
      signal.throwIfAborted();
      errors.push(messageOf(error));
    }
  }
  checks.push({ name: "every block opens, and holds the agents of the record", ok: agents === record.details["agents"], detail: `${agents} agents in ${index.blocks.length} blocks` });
  checks.push({ name: "every key's checksum is right", ok: keys === record.details["keys"], detail: `${keys} keys` });
}

function faultsOf({ id, keys }: CheckpointedAgent): string[] {
  return keys.flatMap(({ key, dump }) => {
    if (agentOfKey(key) !== id) return [`the key ${key} stands under the agent ${id}`];
    const bytes = Buffer.from(dump, "base64");
    const stored = bytes.subarray(-checksumBytes);
    const right = stored.every((byte) => byte === 0) || stored.equals(new Crc64().update(bytes.subarray(0, -checksumBytes)).digest());
    return right ? [] : [`the key ${key} of the agent ${id} has a wrong checksum`];
  });
}

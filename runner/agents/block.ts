import { createHash } from "node:crypto";
import { z } from "zod";
import type { StoredObject } from "../catalog/record.ts";
import { decryptBytes, encryptBytes } from "../encryption/openpgp.ts";
import { DrError, messageOf } from "../errors.ts";

/**
 * A block is an OpenPGP message of JSON lines, one agent a line; `gpg --decrypt` opens it by itself. Numbers of 64
 * bits and configurations are text in it, since JSON numbers lose digits on the way through a program.
 */
const digits = z.string().regex(/^\d+$/);
const taskSchema = z.tuple([digits, z.string(), z.string(), z.string()]);
const episodeSchema = z.tuple([digits, z.string(), z.string()]);
const keySchema = z.strictObject({
  key: z.string(),
  /** Milliseconds since 1970; `null`: it stays. */
  expiresAt: z.number().nullable(),
  /** What Redis's DUMP gave, in base64; it carries its own checksum. */
  dump: z.string(),
});
export const agentSchema = z.strictObject({
  id: z.string(),
  /** jsonb as PostgreSQL prints it; `null` where PostgreSQL had no such agent and Redis had its keys. */
  config: z.string().nullable(),
  status: z.string(),
  sequence: digits,
  lsn: z.string().nullable(),
  updatedAt: z.string(),
  /** sequence, task, outcome, created at */
  tasks: z.array(taskSchema),
  /** sequence, content, created at */
  episodes: z.array(episodeSchema),
  keys: z.array(keySchema),
});

export type CheckpointedAgent = z.infer<typeof agentSchema>;
export type CheckpointedKey = z.infer<typeof keySchema>;

/** The requirements' bound; fewer where agents are big, so that a block stays small in memory: it is there several times,
 * as text, encrypted and on its way, and what is allocated in megabytes leaves holes that are not given back. */
export const mostAgentsPerBlock = 1_000;
export const mostBlockBytes = 4 * 1024 ** 2;

export interface Block {
  readonly offset: number;
  readonly length: number;
  /** Of the encrypted message. */
  readonly sha256: string;
  /** In the order of its lines. */
  readonly agents: string[];
}

const indexSchema = z.strictObject({
  version: z.literal(1),
  /** The object that all blocks stand in, one behind the other. */
  object: z.string(),
  blocks: z.array(z.strictObject({ offset: z.number(), length: z.number(), sha256: z.string(), agents: z.array(z.string()) })),
});
export type CheckpointIndex = z.infer<typeof indexSchema>;

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** `lines`: one agent a line, each with its line's end. */
export const sealBlock = (lines: Buffer, passphrase: string): Promise<Buffer> => encryptBytes(lines, passphrase, { filename: "agents.jsonl", compress: true });

/** Opens a block and reads the agents that are `wanted` of it, by their places in the index; default: all of them. */
export async function openBlock(message: Uint8Array, passphrase: string, { agents }: Pick<Block, "agents">, where: string, wanted?: ReadonlySet<string>): Promise<CheckpointedAgent[]> {
  const text = (await decryptBytes(message, passphrase)).toString("utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length !== agents.length) throw differs(where, `it holds ${lines.length} agents, the index lists ${agents.length}`);
  return lines.flatMap((line, place) => {
    const id = agents[place];
    if (wanted !== undefined && (id === undefined || !wanted.has(id))) return [];
    const agent = parse(agentSchema, line, `${where}, line ${place + 1}`);
    if (agent.id !== id) throw differs(where, `its line ${place + 1} is ${agent.id}, the index says ${String(id)}`);
    return [agent];
  });
}

const differs = (where: string, what: string): DrError => new DrError({ kind: "failed", what: `the block is not what the index says: ${what}`, where, todo: "Use another backend's copy or another checkpoint." });

export const sealIndex = (index: CheckpointIndex, passphrase: string): Promise<Buffer> => encryptBytes(Buffer.from(JSON.stringify(index)), passphrase, { filename: "index.json", compress: true });

export const openIndex = async (message: Uint8Array, passphrase: string, where: string): Promise<CheckpointIndex> => parse(indexSchema, (await decryptBytes(message, passphrase)).toString("utf8"), where);

function parse<T>(schema: z.ZodType<T>, text: string, where: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the checkpoint holds what this version does not understand: ${messageOf(cause)}`, where, todo: "Use the version of dr that wrote it, or another checkpoint.", cause });
  }
}

const objectNamed = (objects: readonly StoredObject[], suffix: string, id: string): StoredObject => {
  const found = objects.find(({ key }) => key.endsWith(suffix));
  if (found !== undefined) return found;
  throw new DrError({ kind: "failed", what: `the record names no ${suffix}`, where: id, todo: "Choose another checkpoint." });
};
export const blocksName = "blocks.pgp";
export const indexName = "index.pgp";
export const indexObject = (record: { readonly id: string; readonly objects: readonly StoredObject[] }): StoredObject => objectNamed(record.objects, `/${indexName}`, record.id);

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

/** The requirements' bound; fewer where agents are big, so that a block stays small in memory. */
export const mostAgentsPerBlock = 1_000;
export const mostBlockBytes = 16 * 1024 ** 2;

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

export const sealBlock = (lines: readonly string[], passphrase: string): Promise<Buffer> =>
  encryptBytes(Buffer.from(lines.map((line) => `${line}\n`).join("")), passphrase, { filename: "agents.jsonl", compress: true });

export async function openBlock(message: Uint8Array, passphrase: string, where: string): Promise<CheckpointedAgent[]> {
  const text = (await decryptBytes(message, passphrase)).toString("utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => parse(agentSchema, line, `${where}, line ${index + 1}`));
}

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

import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { openBackend } from "../../storage/open.ts";
import type { StateConfig } from "./config.ts";

const stacks = "stacks/";
/** The version of the folder's own layout, without which Pulumi takes it for an older one. */
const layoutFile = "meta.yaml";

/** A checkpoint as Pulumi's own backends write it; what is secret in it is encrypted and stays so. */
const checkpoint = z.looseObject({ version: z.number(), checkpoint: z.looseObject({ stack: z.string().optional() }) });

/** Throws where the text is no checkpoint of a stack. */
export function checkCheckpoint(name: string, bytes: Uint8Array): void {
  try {
    checkpoint.parse(JSON.parse((name.endsWith(".gz") ? gunzipSync(bytes) : Buffer.from(bytes)).toString("utf8")));
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `this is no checkpoint of a Pulumi stack: ${messageOf(cause)}`, where: name, todo: "Look at it with `pulumi stack export`; Pulumi keeps the one before it as .bak.", cause });
  }
}

const isCheckpoint = (key: string): boolean => /\.json(\.gz)?$/.test(key);

/** The checkpoints of every stack, as they lie in Pulumi's backend, by their names there (`stacks/PROJECT/STACK.json`). */
export async function readStates(config: StateConfig, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
  const backend = await open(config);
  try {
    const files = new Map<string, Buffer>();
    for await (const { key } of backend.list(stacks)) {
      if (!isCheckpoint(key)) continue; // .bak and .attrs
      const bytes = await backend.read(key, signal);
      checkCheckpoint(backend.uri(key), bytes);
      files.set(key, bytes);
    }
    if (files.size === 0) throw new DrError({ kind: "failed", what: "there is no stack in Pulumi's state", where: backend.uri(stacks), todo: "Correct where the states are; a backend of Pulumi has the folder .pulumi/stacks." });
    if ((await backend.head(layoutFile)) !== undefined) files.set(layoutFile, await backend.read(layoutFile, signal));
    return files;
  } finally {
    backend.close();
  }
}

function open(config: StateConfig): Promise<StorageBackend> {
  if (config.kind === "folder") return openBackend({ kind: "folder", name: config.name, path: join(config.path, ".pulumi") });
  return openBackend({ ...config, prefix: [config.prefix, ".pulumi"].filter((part) => part !== "").join("/") });
}

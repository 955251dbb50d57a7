import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RunContext } from "../../context.ts";
import { decryptBytes, encryptBytes } from "../../encryption/openpgp.ts";
import { makeFolder, writeDurably } from "../../system/files.ts";
import type { VaultLink } from "./connection.ts";
import type { Initialised } from "./unseal.ts";

/**
 * What initialising an empty server gave, kept until the snapshot is in it: a recovery that is killed between the two
 * would leave a server behind that nobody can enter. Encrypted as the backups are.
 */
const schema = z.object({ rootToken: z.string(), keys: z.array(z.string()), loading: z.string().optional() });

export interface KeptInit extends Initialised {
  /** The backup that was being loaded: whether it arrived, the server alone can say. */
  readonly loading?: string | undefined;
}

async function fileOf({ config }: RunContext, { http }: VaultLink): Promise<string> {
  const folder = await makeFolder(join(config.workDirectory, "recover"));
  return join(folder, `vault-init-${createHash("sha256").update(http.url).digest("hex").slice(0, 16)}.pgp`);
}

export async function keepInit(context: RunContext, link: VaultLink, made: KeptInit): Promise<void> {
  await writeDurably(await fileOf(context, link), await encryptBytes(Buffer.from(JSON.stringify(made)), await context.passphrase()), { mode: 0o600 });
}

export async function keptInit(context: RunContext, link: VaultLink): Promise<KeptInit | undefined> {
  const message = await readFile(await fileOf(context, link)).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  return message === undefined ? undefined : schema.parse(JSON.parse((await decryptBytes(message, await context.passphrase())).toString("utf8")));
}

export async function forgetInit(context: RunContext, link: VaultLink): Promise<void> {
  await rm(await fileOf(context, link), { force: true });
}

import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { decrypt, decryptKey, readMessage, readPrivateKey, type PrivateKey } from "openpgp";
import { z } from "zod";
import { escrowPrefix } from "../../plan/layout.ts";
import { readSecret } from "../config.ts";
import { DrError, messageOf } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { makeFolder, writeDurably } from "../system/files.ts";

/** What is sealed (components/access/escrow.ts writes it): a person can read it without us. */
const escrowSchema = z.object({
  secrets: z.array(z.object({ name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/), opens: z.string(), value: z.string().min(1) })).min(1),
  /** What opens Vault's snapshots, which no escrow can hold. */
  vaultSeal: z.object({ type: z.string(), alias: z.string(), regions: z.array(z.string()) }).optional(),
});
type Escrow = z.infer<typeof escrowSchema>;

/** Where the sealed message is. */
export type EscrowSource = { readonly file: string } | { readonly backend: StorageBackend } | { readonly input: NodeJS.ReadableStream };

export interface OpenEscrowRequest {
  readonly source: EscrowSource;
  /** Armoured, of one of the recipients; not needed for a text that gpg has opened already. */
  readonly keyFile?: string;
  /** Holds the private key's own passphrase, where it has one. */
  readonly keyPassphraseFile?: string;
  /** One file of mode 0600 for each secret, called as the secret is; nothing in it is overwritten. */
  readonly into: string;
}

export interface OpenedEscrow {
  /** The file or the object. */
  readonly from: string;
  /** Others in the same backend, older ones: what a thief may have put there is the newest. */
  readonly older: readonly string[];
  readonly secrets: readonly { readonly name: string; readonly opens: string; readonly file: string }[];
  readonly vaultSeal: Escrow["vaultSeal"];
}

/** Opens the passphrases in escrow and writes each into a file of its own. No value is ever told. */
export async function openEscrow({ source, keyFile, keyPassphraseFile, into }: OpenEscrowRequest): Promise<OpenedEscrow> {
  const { text, from, older } = await read(source);
  const opened = text.trimStart().startsWith("{") ? text : await decipher(text, from, keyFile, keyPassphraseFile);
  const { secrets, vaultSeal } = parse(opened, from);
  await makeFolder(into);
  const files = secrets.map(({ name, opens, value }) => ({ name, opens, value, file: join(into, name) }));
  for (const { file } of files) await refuseExisting(file);
  for (const { file, value } of files) await writeDurably(file, `${value}\n`, { mode: 0o600 });
  return { from, older, secrets: files.map(({ name, opens, file }) => ({ name, opens, file })), vaultSeal };
}

async function read(source: EscrowSource): Promise<{ readonly text: string; readonly from: string; readonly older: readonly string[] }> {
  if ("input" in source) return { text: (await buffer(source.input)).toString("utf8"), from: "standard input", older: [] };
  if ("file" in source) return { text: await fileText(source.file, "the escrow"), from: source.file, older: [] };
  const { backend } = source;
  const found: { readonly key: string; readonly modifiedAt: Date }[] = [];
  for await (const object of backend.list(escrowPrefix)) found.push(object);
  const [newest, ...older] = found.toSorted((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime());
  if (newest === undefined) throw new DrError({ kind: "failed", what: "there is no escrow", where: backend.uri(escrowPrefix), todo: "Look for it in the other backends, or among what its recipients keep themselves." });
  return { text: (await backend.read(newest.key)).toString("utf8"), from: backend.uri(newest.key), older: older.map(({ key }) => backend.uri(key)) };
}

async function fileText(path: string, what: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `${what} cannot be read: ${messageOf(cause)}`, where: path, todo: "Name the file.", cause });
  });
}

async function decipher(armoredMessage: string, from: string, keyFile: string | undefined, passphraseFile: string | undefined): Promise<string> {
  if (keyFile === undefined) throw new DrError({ kind: "usage", what: "nothing says which private key opens the escrow", where: "--key", todo: "Name the armoured private key of one of its recipients; where it is on a card, `gpg --decrypt FILE` and give its output on the standard input (`-`)." });
  const key = await privateKey(keyFile, passphraseFile);
  const message = await readMessage({ armoredMessage }).catch((cause: unknown) => {
    throw new DrError({ kind: "failed", what: `this is no escrow: ${messageOf(cause)}`, where: from, todo: "Name a file from below escrow/ of the backups' bucket.", cause });
  });
  try {
    const opened: { readonly data: unknown } = await decrypt({ message, decryptionKeys: key });
    return String(opened.data);
  } catch (cause) {
    const wanted = message.getEncryptionKeyIDs().map((id) => id.toHex().toUpperCase());
    throw new DrError({ kind: "failed", what: `this private key does not open it: ${messageOf(cause)}`, where: keyFile, todo: `It is sealed to the keys ${wanted.join(", ")}: use one of theirs.`, cause });
  }
}

async function privateKey(keyFile: string, passphraseFile: string | undefined): Promise<PrivateKey> {
  const key = await readPrivateKey({ armoredKey: await fileText(keyFile, "the private key") }).catch((cause: unknown) => {
    throw cause instanceof DrError ? cause : new DrError({ kind: "usage", what: `this is no armoured private key: ${messageOf(cause)}`, where: keyFile, todo: "gpg --armor --export-secret-keys WHO", cause });
  });
  if (key.isDecrypted()) return key;
  if (passphraseFile === undefined) throw new DrError({ kind: "usage", what: "the private key has a passphrase", where: keyFile, todo: "Name a file that holds it with --key-passphrase-file." });
  const passphrase = await readSecret(passphraseFile, "the private key's passphrase");
  return decryptKey({ privateKey: key, passphrase }).catch((cause: unknown) => {
    throw new DrError({ kind: "failed", what: "the passphrase does not open the private key", where: passphraseFile, todo: "Correct the file: the passphrase and nothing else, one line.", cause });
  });
}

function parse(text: string, from: string): Escrow {
  try {
    return escrowSchema.parse(JSON.parse(text));
  } catch (cause) {
    // Not the cause's own words, which may repeat a part of what is secret.
    throw new DrError({ kind: "failed", what: "it opens, and what is in it is no escrow of ours", where: from, todo: "Open it with gpg and read it: it names each passphrase and what it opens.", cause: cause instanceof z.ZodError ? undefined : "no JSON" });
  }
}

async function refuseExisting(file: string): Promise<void> {
  const isThere = await access(file).then(() => true, () => false);
  if (isThere) throw new DrError({ kind: "refused", what: "there is a file already, and nothing is overwritten", where: file, todo: "Name another directory with --into." });
}

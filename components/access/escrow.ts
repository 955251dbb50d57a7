import { createHash, randomBytes } from "node:crypto";
import { armor, config, createMessage, encrypt, encryptSessionKey, enums, readKey, type PublicKey } from "openpgp";
import { keyAlias, vaultSealKey } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";

/** Where one person has lost the key, another has not. */
export const fewestRecipients = 2;

/** What is wrong with the armour of those who open the escrow, as far as it shows without reading the keys. */
export function recipientProblems(recipients: readonly string[]): readonly string[] {
  const texts = recipients.map((text) => text.trim());
  return [
    ...(recipients.length < fewestRecipients ? [`recipients: ${recipients.length} given, at least ${fewestRecipients} needed: what one person alone can open is lost with that person's key`] : []),
    ...texts.flatMap((text, index) => {
      if (text.includes("PRIVATE KEY BLOCK")) return [`recipients[${index}]: is a private key, which belongs to nobody but its owner; give the public one, and replace this one`];
      return text.startsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----") ? [] : [`recipients[${index}]: is no armoured OpenPGP public key (gpg --armor --export WHO)`];
    }),
    ...texts.flatMap((text, index) => (texts.indexOf(text) < index ? [`recipients[${index}]: is recipients[${texts.indexOf(text)}] again`] : [])),
  ];
}

export interface Recipient {
  readonly key: PublicKey;
  readonly fingerprint: string;
  /** The first user id, for people. */
  readonly name: string;
  /** When the owner lets it expire, in milliseconds since 1970; it opens what is sealed to it all the same. */
  readonly ends: number;
}

/**
 * Reads the keys of those who open the escrow.
 * @throws Error where one cannot be read, cannot be encrypted to, or two are of the same owner
 */
export async function readRecipients(armoured: readonly string[]): Promise<readonly Recipient[]> {
  const recipients = await Promise.all(armoured.map(readRecipient));
  const fingerprints = recipients.map(({ fingerprint }) => fingerprint);
  const twice = fingerprints.findIndex((fingerprint, index) => fingerprints.indexOf(fingerprint) < index);
  if (twice >= 0) throw new Error(`recipients[${twice}]: is the key ${fingerprints[twice] ?? ""} a second time`);
  return recipients;
}

async function readRecipient(armoredKey: string, index: number): Promise<Recipient> {
  try {
    const key = (await readKey({ armoredKey })).toPublic();
    await key.getEncryptionKey(undefined, null); // null: at no time, so that an expired key will do
    const ends = await key.getExpirationTime();
    return { key, fingerprint: key.getFingerprint(), name: key.getUserIDs()[0] ?? key.getFingerprint(), ends: ends instanceof Date ? ends.getTime() : Infinity };
  } catch (error) {
    throw new Error(`recipients[${index}]: cannot be encrypted to: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export interface EscrowedSecret {
  readonly name: string;
  readonly opens: string;
  readonly value: string;
}

/** What people need besides the bytes of a backup, as a text that they can read without us. */
export function escrowText(plan: Plan, secrets: readonly EscrowedSecret[]): string {
  return `${JSON.stringify(
    {
      what: `the passphrases of every backup of ${plan.name}; keep them nowhere but here`,
      secrets: secrets.map(({ name, opens, value }) => ({ name, opens, value })),
      vaultSeal: {
        what: "a Vault snapshot opens with the KMS key that sealed it alone, not with recovery keys",
        type: "awskms", alias: keyAlias(plan, vaultSealKey), regions: plan.regions.map(({ name }) => name),
      },
    },
    undefined,
    2,
  )}\n`;
}

/**
 * Armoured; any of the recipients opens it with `gpg --decrypt`. Sealing the same text again gives another message. A
 * key that expired is sealed to as of its last moment: a recovery must not wait until somebody has renewed a key.
 */
export async function seal(text: string, recipients: readonly Recipient[], now = Date.now()): Promise<string> {
  const sessionKey = { data: randomBytes(32), algorithm: "aes256" as const };
  const toEach = await Promise.all(recipients.map(({ key, ends }) => encryptSessionKey({ ...sessionKey, encryptionKeys: key, date: new Date(Math.min(now, ends - 1_000)), format: "binary" })));
  const body: unknown = await encrypt({ message: await createMessage({ text }), sessionKey, format: "binary" });
  if (!(body instanceof Uint8Array)) throw new TypeError("OpenPGP gave no bytes");
  // With the checksum: without it gpg 2.2 takes the end of some messages for a part of them.
  return armor(enums.armor.message, Buffer.concat([...toEach, body]), undefined, undefined, "open with gpg --decrypt", true, config);
}

/** Changes with what is sealed and to whom; not with how often it was sealed, nor with the recipients' order. */
export const sealedWhat = (text: string, fingerprints: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify([fingerprints.toSorted(), text])).digest("hex");

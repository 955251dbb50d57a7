import { decryptSessionKeys, encryptSessionKey, readKey, readMessage } from "openpgp";
import { frame, tags } from "./packets.ts";

/** OpenPGP's names of the ciphers that Node has under these. */
const ciphers: Readonly<Record<string, string>> = { aes128: "aes-128-cfb", aes192: "aes-192-cfb", aes256: "aes-256-cfb" };

export interface SessionKey {
  /** Node's name of the cipher. */
  readonly cipher: string;
  readonly key: Uint8Array;
}

/** The packets that carry an AES-256 session key to a passphrase and to recipients. */
export async function sealSessionKey(key: Uint8Array, passphrase: string, recipients: readonly string[]): Promise<Uint8Array> {
  const encryptionKeys = await Promise.all(recipients.map(async (armoredKey) => (await readKey({ armoredKey })).toPublic()));
  return encryptSessionKey({ data: key, algorithm: "aes256", passwords: [passphrase], encryptionKeys, format: "binary" });
}

/**
 * Tries the passphrase on the packets; `undefined` where it opens none of them. A key that is derived from the
 * passphrase itself (as `gpg --symmetric` does it) always comes out, right or wrong: the message's first bytes tell.
 */
export async function openSessionKeys(packets: readonly Uint8Array[], passphrase: string): Promise<SessionKey[]> {
  const placeholder: Buffer[] = [];
  for await (const piece of frame(tags.integrityProtected, [Buffer.alloc(64, 1)])) placeholder.push(piece);
  const message = await readMessage({ binaryMessage: Buffer.concat([...packets, ...placeholder]) });
  const found = await decryptSessionKeys({ message, passwords: [passphrase] }).catch(() => []);
  return found.flatMap(({ algorithm, data }) => {
    const cipher = algorithm === null ? undefined : ciphers[algorithm];
    return cipher === undefined ? [] : [{ cipher, key: data }];
  });
}

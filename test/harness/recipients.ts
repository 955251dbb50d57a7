import { decrypt, generateKey, readMessage, readPrivateKey } from "openpgp";

/** A person to whom something can be sealed. */
export interface TestRecipient {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** `seconds` is how long the key is valid from `since` on; absent: for ever. */
export async function recipient(name: string, { since = new Date(), seconds }: { readonly since?: Date; readonly seconds?: number } = {}): Promise<TestRecipient> {
  const { publicKey, privateKey } = await generateKey({ userIDs: [{ name, email: `${name}@example.org` }], format: "armored", date: since, ...(seconds === undefined ? {} : { keyExpirationTime: seconds }) });
  return { publicKey, privateKey };
}

/** What a recipient reads of an armoured message. */
export async function open(armoredMessage: string, { privateKey }: TestRecipient): Promise<string> {
  const decryptionKeys = await readPrivateKey({ armoredKey: privateKey });
  const opened: { readonly data: unknown } = await decrypt({ message: await readMessage({ armoredMessage }), decryptionKeys });
  return String(opened.data);
}


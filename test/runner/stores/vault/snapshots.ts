/** Raft snapshots as OpenBao writes them, made here: for what no server makes on purpose. */
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
};
export const field = (number: number, value: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};

export function gcm(key: Uint8Array, plain: Uint8Array | string, aad?: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  if (aad !== undefined) cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

export type Entries = readonly (readonly [key: string, value: Uint8Array])[];

/** Vault's own encryption: term 1, bound to the path. */
const sealed = (key: Uint8Array, path: string, plain: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 1, 2]), gcm(key, plain, path)]);

export interface MadeVault {
  readonly entries: Entries;
  readonly rootKey: Buffer;
  readonly dataKey: Buffer;
}

/** What a server stores, sealed by a key: `static` with its nonce apart, as OpenBao 2.4 has it, or `shamir`. */
export function madeVault(sealKey: Uint8Array, type: "static" | "shamir" = "static", keyId = "key-1"): MadeVault {
  const [rootKey, dataKey] = [randomBytes(32), randomBytes(32)];
  const blob = gcm(sealKey, JSON.stringify([rootKey.toString("base64")]));
  const stored = type === "static" ? Buffer.concat([field(1, blob.subarray(12)), field(2, blob.subarray(0, 12)), field(5, field(3, keyId))]) : field(1, blob);
  const keyring = JSON.stringify({ MasterKey: rootKey.toString("base64"), Keys: [{ Term: 1, Version: 1, Value: dataKey.toString("base64"), InstallTime: "2026-11-23T00:00:00Z" }] });
  const entries: Entries = [
    ["core/audit", sealed(dataKey, "core/audit", "{}")],
    ["core/hsm/barrier-unseal-keys", stored],
    ["core/keyring", sealed(rootKey, "core/keyring", keyring)],
    ["core/seal-config", Buffer.from(JSON.stringify({ type, secret_shares: type === "shamir" ? 3 : 1, secret_threshold: type === "shamir" ? 2 : 1 }))],
    ["logical/a/secret", sealed(dataKey, "logical/a/secret", '{"value":"sings"}')],
  ];
  return { entries, rootKey, dataKey };
}

const stateOf = (entries: Entries): Buffer =>
  Buffer.concat(entries.flatMap(([key, value]) => {
    const message = Buffer.concat([field(1, key), field(2, value)]);
    return [varint(message.length), message];
  }));

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function tarOf(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const blocks = Object.entries(files).map(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000600\0", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write("0ustar\0", 156);
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The files of a snapshot's archive, before they are packed. */
export function filesOf(entries: Entries): Record<"meta.json" | "state.bin" | "SHA256SUMS", Buffer> {
  const state = stateOf(entries);
  const meta = Buffer.from(`${JSON.stringify({ Version: 1, ID: "bolt-snapshot", Index: 71, Term: 3, Size: state.length })}\n`);
  return { "meta.json": meta, "state.bin": state, SHA256SUMS: Buffer.from(`${sha256(meta)}  meta.json\n${sha256(state)}  state.bin\n`) };
}

export const snapshotOf = (entries: Entries): Buffer => gzipSync(tarOf(filesOf(entries)));

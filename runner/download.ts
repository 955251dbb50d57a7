import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BackupRecord, StoredObject } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { decryptToFile } from "./encryption/openpgp.ts";
import { DrError, messageOf } from "./errors.ts";
import type { StorageBackend } from "./storage/backend.ts";
import { toStorageError } from "./storage/faults.ts";
import { checkKey } from "./storage/keys.ts";

export interface DownloadedFile {
  readonly path: string;
  readonly bytes: number;
  /** Of the file as it stands in `path`'s backend, i.e. before it was decrypted. */
  readonly sha256: string;
  /** The backend that it came from. */
  readonly from: string;
  readonly rejected: readonly { readonly backend: string; readonly error: string }[];
}

export interface Download {
  readonly backup: string;
  readonly files: readonly DownloadedFile[];
}

export interface DownloadOptions {
  /** Made where it is missing. What is in it is never overwritten. */
  readonly to: string;
  /** Write what the OpenPGP messages hold, not the messages. */
  readonly decrypt: boolean;
}

/**
 * Downloads every object of a backup, each from the first backend whose copy has the record's sha256. Refuses, before
 * the first byte, to overwrite anything; throws where no copy of an object is whole, and names what is wrong with each.
 */
export async function downloadBackup(context: RunContext, record: BackupRecord, options: DownloadOptions): Promise<Download> {
  checkDownloadable(record, options);
  const targets = record.objects.map((object) => ({ object, path: join(options.to, targetName(record, object, options.decrypt)) }));
  for (const { path } of targets) await refuseExisting(path);
  const files: DownloadedFile[] = [];
  for (const { object, path } of targets) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
      throw new DrError({ kind: "failed", what: `the folder cannot be made: ${messageOf(cause)}`, where: dirname(path), todo: "Name a folder that you may write to with --to.", cause });
    });
    files.push(await downloadObject(context, record, object, path, options.decrypt));
  }
  return { backup: record.id, files };
}

function checkDownloadable(record: BackupRecord, { decrypt }: DownloadOptions): void {
  const usage = (what: string, todo: string) => new DrError({ kind: "usage", what, where: record.id, todo });
  if (record.objects.length === 0) {
    const where = record.copies.flatMap((copy) => (copy.status === "ok" ? [copy.uri] : [])).join(", ");
    throw usage(where === "" ? "this record names no object" : `this backup is kept by pgBackRest, in files of its own form: ${where}`, where === "" ? "`dr catalog show` says what it is." : "Use `dr recover postgres`, or pgbackrest itself with that label.");
  }
  if (!decrypt) return;
  if (record.encryption !== "openpgp") throw usage(`nothing is to be decrypted: its encryption is ${record.encryption}`, "Leave --decrypt out.");
  // A pack is a row of independent messages with an index of where each begins.
  if (record.store === "agents") throw usage("a pack of agents consists of many messages, which are not one file", "Leave --decrypt out, or use `dr recover agent <id>`.");
}

/** `redis/ID/dump.rdb.pgp` becomes `ID/dump.rdb.pgp`; a key that would lead elsewhere is refused. */
function targetName(record: BackupRecord, { key }: StoredObject, decrypt: boolean): string {
  const parts = checkKey(key, `the record ${record.id}`).split("/");
  const inside = parts.slice(parts.indexOf(record.id) + 1).join("/");
  const name = join(record.id, inside);
  return decrypt ? name.replace(/\.(pgp|gpg)$/, "") : name;
}

async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw toStorageError(error, path);
  });
  if (found !== undefined) throw new DrError({ kind: "refused", what: "there is a file of this name already, and it is not overwritten", where: path, todo: "Remove it, or name another folder with --to." });
}

async function downloadObject(context: RunContext, record: BackupRecord, object: StoredObject, path: string, decrypt: boolean): Promise<DownloadedFile> {
  const rejected: { backend: string; error: string }[] = [];
  const partial = join(dirname(path), `.${randomBytes(6).toString("hex")}.partial`);
  try {
    for (const backend of context.backends) {
      const copy = record.copies.find((candidate) => candidate.backend === backend.name);
      if (copy?.status !== "ok") {
        rejected.push({ backend: backend.name, error: copy === undefined ? "the record names no copy here" : `the copy was never written: ${copy.error}` });
        continue;
      }
      const error = await fetchWhole(context, backend, object, partial);
      if (error !== undefined) {
        rejected.push({ backend: backend.name, error });
        continue;
      }
      const bytes = decrypt ? await openInto(context, partial, path) : await settle(partial, path, object.bytes);
      return { path, bytes, sha256: object.sha256, from: backend.uri(object.key), rejected };
    }
  } finally {
    await rm(partial, { force: true });
  }
  throw new DrError({ kind: "failed", what: `no copy is whole: ${rejected.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: `${record.id}, ${object.key}`, todo: "Correct what is named, or choose another backup (`dr catalog list`)." });
}

/** Brings one backend's copy into `partial`. Says what is wrong with the copy; throws what is wrong with this machine. */
async function fetchWhole(context: RunContext, backend: StorageBackend, object: StoredObject, partial: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(partial, "w", 0o600).catch((error: unknown) => {
    throw toStorageError(error, partial);
  });
  try {
    const source = await backend.get(object.key, undefined, context.signal);
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk).catch((error: unknown) => {
        throw new LocalFault(toStorageError(error, partial));
      });
      context.report({ step: `download ${object.key} from ${backend.name}`, done: bytes, total: object.bytes, unit: "bytes" });
    }
    await file.sync();
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof LocalFault) throw error.fault;
    return messageOf(error);
  } finally {
    await file.close();
  }
  const found = hash.digest("hex");
  if (found === object.sha256) return undefined;
  return `${backend.uri(object.key)} is damaged: its sha256 is ${found}, the record says ${object.sha256} (${bytes} bytes, ${object.bytes} expected)`;
}

/** A disk of ours that is full is no fault of the copy, and the next copy would meet it too. */
class LocalFault extends Error {
  readonly fault: DrError;
  constructor(fault: DrError) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Gives the whole file its name; where somebody took that name meanwhile, theirs stays. */
async function settle(partial: string, path: string, bytes: number): Promise<number> {
  await link(partial, path).catch(async (error: unknown) => {
    await refuseExisting(path);
    throw toStorageError(error, path);
  });
  return bytes;
}

async function openInto(context: RunContext, partial: string, path: string): Promise<number> {
  const opened = `${partial}.opened`;
  try {
    const { bytes } = await decryptToFile(createReadStream(partial), await context.passphrase(), opened);
    return await settle(opened, path, bytes);
  } finally {
    await rm(opened, { force: true });
  }
}

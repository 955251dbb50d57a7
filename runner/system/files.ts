import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OsUser } from "./process.ts";

/** The kernel's limit on the path of a Unix socket in bytes, less its final zero. */
export const longestSocketPath = 107;

export interface FileOptions {
  /** Permission bits; 0600 for whatever holds a secret. Default 0644. */
  readonly mode?: number;
  readonly owner?: OsUser | undefined;
}

/** Writes a file so that a crash leaves the old one or the new one whole, and a power cut does too. */
export async function writeDurably(path: string, content: string | Uint8Array, { mode = 0o644, owner }: FileOptions = {}): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder that belongs to `owner`, readable by nobody else unless `mode` says so. */
export async function makeFolder(path: string, { mode = 0o700, owner }: FileOptions = {}): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  return path;
}

/** Removes a folder that a program which is about to end (pgBackRest's asynchronous archiver) may still write into. */
export const removeTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

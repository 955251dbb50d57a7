import { chmod, chown, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { S3BackendConfig } from "../../config.ts";
import { makeFolder } from "../../system/files.ts";
import type { OsUser } from "../../system/process.ts";
import type { StorageBackend } from "../backend.ts";
import { FolderBackend } from "../folder.ts";
import { S3Backend } from "../s3.ts";
import { VersionedBucket, type OpenedVersion, type Placed } from "./bucket.ts";

/** Where the contents go: a clean bucket, or a folder. */
export interface RescueTarget {
  /** Of what `dr` itself wrote: lists and reads it back. */
  readonly backend: StorageBackend;
  /** The bucket, where it is one: a store copies within itself. */
  readonly bucket: VersionedBucket | undefined;
  head(key: string): Promise<Placed | undefined>;
  /** As a whole or not at all. */
  put(key: string, source: Readable, opened: Pick<OpenedVersion, "bytes" | "contentType" | "metadata">, signal: AbortSignal): Promise<void>;
  remove(key: string): Promise<void>;
  /** Makes what is there ready for those who read it. */
  finish(): Promise<void>;
  close(): void;
}

export async function openBucketTarget(config: S3BackendConfig): Promise<RescueTarget> {
  const [backend, bucket] = await Promise.all([S3Backend.open(config), VersionedBucket.open(config)]);
  return {
    backend, bucket,
    head: (key) => bucket.head(key),
    put: (key, source, opened, signal) => bucket.put(key, source, { ...opened, signal }),
    remove: (key) => bucket.remove(key),
    finish: () => Promise.resolve(),
    close: () => {
      backend.close();
      bucket.close();
    },
  };
}

export interface FolderTargetOptions {
  readonly name: string;
  readonly path: string;
  /** pgBackRest reads its repository as this user; absent: whoever we are. */
  readonly repository?: { readonly folder: string; readonly owner: OsUser };
}

export async function openFolderTarget({ name, path, repository }: FolderTargetOptions): Promise<RescueTarget> {
  const backend = new FolderBackend({ kind: "folder", name, path: await makeFolder(path, { mode: repository === undefined ? 0o700 : 0o711 }) });
  return {
    backend,
    bucket: undefined,
    head: async (key) => {
      const found = await backend.head(key);
      return found === undefined ? undefined : { bytes: found.bytes, md5: undefined };
    },
    put: async (key, source, { bytes }, signal) => {
      await backend.put(key, source, { expectedBytes: bytes, signal });
    },
    remove: (key) => backend.remove([key]),
    finish: () => (repository === undefined ? Promise.resolve() : giveTo(join(path, repository.folder), repository.owner)),
    close: () => backend.close(),
  };
}

async function giveTo(path: string, owner: OsUser): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined; // no repository was in it
    throw error;
  });
  if (entries === undefined) return;
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(inside, owner);
    else await chown(inside, owner.uid, owner.gid);
  }
  await chmod(path, 0o750);
  await chown(path, owner.uid, owner.gid);
}

import type { BackendConfig, RunnerConfig } from "../config.ts";
import type { StorageBackend } from "./backend.ts";
import { FolderBackend } from "./folder.ts";
import { S3Backend } from "./s3.ts";

/**
 * Opens one backend without a word to it: one that is down opens too, and only its calls fail. A credentials file or
 * an authority's file that is missing is an error here that names it.
 */
export async function openBackend(config: BackendConfig): Promise<StorageBackend> {
  switch (config.kind) {
    case "s3":
      return S3Backend.open(config);
    case "folder":
      return new FolderBackend(config);
  }
}

/** Opens every backend of the configuration, in its order. */
export async function openBackends(config: Pick<RunnerConfig, "backends">): Promise<StorageBackend[]> {
  return Promise.all(config.backends.map(openBackend));
}

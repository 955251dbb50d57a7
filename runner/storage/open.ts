import type { BackendConfig, RunnerConfig, S3BackendConfig } from "../config.ts";
import type { StorageBackend } from "./backend.ts";
import { FolderBackend } from "./folder.ts";
import { S3Backend } from "./s3.ts";
import { TieredBackend } from "./tiered.ts";

/**
 * Opens one backend without a word to it: one that is down opens too, and only its calls fail. A credentials file or
 * an authority's file that is missing is an error here that names it.
 */
export async function openBackend(config: BackendConfig): Promise<StorageBackend> {
  switch (config.kind) {
    case "s3":
      return openS3(config);
    case "folder":
      return new FolderBackend(config);
  }
}

async function openS3(config: S3BackendConfig): Promise<StorageBackend> {
  const { shortLived } = config;
  const main = await S3Backend.open(config);
  return shortLived === undefined ? main : new TieredBackend(main, await S3Backend.open({ ...config, bucket: shortLived.bucket }), shortLived.prefixes);
}

/** Opens every backend of the configuration, in its order. */
export async function openBackends(config: Pick<RunnerConfig, "backends">): Promise<StorageBackend[]> {
  return Promise.all(config.backends.map(openBackend));
}

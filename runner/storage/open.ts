import type { BackendConfig, RunnerConfig } from "../config.ts";
import type { StorageBackend } from "./backend.ts";

/** Opens one backend. A backend that is down still opens, only its calls fail; a credentials file that is missing is an error that names it. */
export async function openBackend(config: BackendConfig): Promise<StorageBackend> {
  return Promise.reject(new Error(`not built yet: ${config.name}`));
}

/** Opens every backend of the configuration, in its order. */
export async function openBackends(config: RunnerConfig): Promise<StorageBackend[]> {
  return Promise.all(config.backends.map(openBackend));
}

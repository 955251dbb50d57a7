/** Configuration of a Qdrant that a snapshot is tried in: nobody knows it, and it knows of nobody. */
import { toYaml } from "./yaml.ts";

export interface IsolatedQdrantArgs {
  readonly dir: string;
  readonly ports: { readonly http: number; readonly grpc: number };
  /** Everybody on the machine can reach the port. */
  readonly apiKey: string;
}

export function isolatedQdrantYaml({ apiKey, dir, ports }: IsolatedQdrantArgs): string {
  return toYaml({
    storage: { storage_path: `${dir}/storage`, snapshots_path: `${dir}/snapshots`, temp_path: `${dir}/snapshots/tmp` },
    service: { host: "127.0.0.1", http_port: ports.http, grpc_port: ports.grpc, enable_cors: false, api_key: apiKey, enable_snapshot_url_recovery: false },
    cluster: { enabled: false },
    telemetry_disabled: true,
  });
}

/** Qdrant's configuration file and the script that a node starts by. */
import { toYaml } from "./yaml.ts";

export interface QdrantArgs {
  readonly ports: { readonly http: number; readonly grpc: number; readonly peers: number };
  readonly storageDirectory: string;
  readonly snapshotsDirectory: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** Opens everything: the key itself or its mark (see secret-template.ts). */
  readonly apiKey: string;
  readonly readOnlyApiKey: string;
}

/** Given as `--config-path`, it goes over the image's own files; only what differs from the defaults is said. */
export function qdrantYaml({ apiKey, ports, readOnlyApiKey, snapshotsDirectory, storageDirectory, tls }: QdrantArgs): string {
  return toYaml({
    storage: { storage_path: storageDirectory, snapshots_path: snapshotsDirectory, temp_path: `${snapshotsDirectory}/tmp` },
    service: {
      host: "0.0.0.0",
      http_port: ports.http,
      grpc_port: ports.grpc,
      enable_tls: true,
      enable_cors: false,
      api_key: apiKey,
      read_only_api_key: readOnlyApiKey,
      // A snapshot is uploaded to be recovered; that a node fetches from any address it is told is a hole.
      enable_snapshot_url_recovery: false,
    },
    cluster: { enabled: true, p2p: { port: ports.peers, enable_tls: true } },
    // Read again every hour for HTTPS; for gRPC and between peers a renewed certificate needs a restart.
    tls: { cert: tls.certFile, key: tls.keyFile, ca_cert: tls.caFile, cert_ttl: 3_600 },
    telemetry_disabled: true,
  });
}

export interface QdrantNode {
  readonly name: string;
  readonly host: string;
}

export interface QdrantStart {
  readonly nodes: readonly QdrantNode[];
  readonly peerPort: number;
}

/**
 * Bash, which Qdrant's image has: `bash SCRIPT NAME CONFIGURATION` starts the node of that name. A node that has been
 * in a cluster goes on there whatever it is told. A new one joins any node that serves peers, which none does before it
 * is in a cluster itself; only the first may found one, and only where nobody answers. So a first node that has lost
 * its volume comes back as a member, not as an empty cluster of its own beside the others.
 */
export function qdrantStartScript({ nodes, peerPort }: QdrantStart): string {
  const [first] = nodes;
  if (first === undefined) throw new RangeError("Qdrant needs a node");
  return `set -eu
name=$1 configuration=$2
self='' member=''
for node in ${nodes.map(({ host, name }) => `${name}=${host}`).join(" ")}; do
  host=\${node#*=}
  if [ "\${node%%=*}" = "$name" ]; then
    self=$host
  elif [ -z "$member" ] && timeout 3 bash -c ": < /dev/tcp/$host/${peerPort}" 2> /dev/null; then
    member=$host
  fi
done
if [ -z "$self" ]; then
  echo "no node is called $name" >&2
  exit 1
fi
arguments=(--config-path "$configuration" --uri "https://$self:${peerPort}")
if [ -z "$member" ] && [ "$name" != ${first.name} ]; then member=${first.host}; fi
if [ -n "$member" ]; then
  echo "joining $member, unless this node is a member already"
  arguments+=(--bootstrap "https://$member:${peerPort}")
fi
exec ./qdrant "\${arguments[@]}"
`;
}

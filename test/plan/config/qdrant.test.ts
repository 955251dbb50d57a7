import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { qdrantStartScript, qdrantYaml } from "../../../plan/config/qdrant.ts";

const run = promisify(execFile);

describe("Qdrant's configuration", () => {
  it("is a cluster with TLS on every port, two keys, and no way to make a node fetch what it is told", () => {
    const tls = { certFile: "/tls/tls.crt", keyFile: "/tls/tls.key", caFile: "/tls/ca.crt" };
    const text = qdrantYaml({ ports: { http: 6333, grpc: 6334, peers: 6335 }, storageDirectory: "/data/storage", snapshotsDirectory: "/data/snapshots", tls, apiKey: "full", readOnlyApiKey: "reading" });
    expect(text).toBe(`storage:
  storage_path: "/data/storage"
  snapshots_path: "/data/snapshots"
  temp_path: "/data/snapshots/tmp"
service:
  host: "0.0.0.0"
  http_port: 6333
  grpc_port: 6334
  enable_tls: true
  enable_cors: false
  api_key: "full"
  read_only_api_key: "reading"
  enable_snapshot_url_recovery: false
cluster:
  enabled: true
  p2p:
    port: 6335
    enable_tls: true
tls:
  cert: "/tls/tls.crt"
  key: "/tls/tls.key"
  ca_cert: "/tls/ca.crt"
  cert_ttl: 3600
telemetry_disabled: true
`);
  });
});

/** The script with a `qdrant` that says what it was given; the nodes are loopback addresses, of which some listen. */
describe("a node of Qdrant", () => {
  let folder: string;
  const listening: Server[] = [];
  let port: number;

  const listen = (host: string, at: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer().once("error", reject).listen(at, host, () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
      listening.push(server);
    });
  const start = async (name: string): Promise<string> => {
    const nodes = [1, 2, 3].map((index) => ({ name: `qdrant-${index - 1}`, host: `127.0.32.${index}` }));
    await writeFile(join(folder, "start.sh"), qdrantStartScript({ nodes, peerPort: port }));
    const { stdout } = await run("bash", [join(folder, "start.sh"), name, "/run/config.yaml"], { cwd: folder, timeout: 15_000 });
    return stdout.trim().split("\n").at(-1) ?? "";
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "qdrant-start-"));
    await writeFile(join(folder, "qdrant"), '#!/bin/sh\necho "$*"\n');
    await chmod(join(folder, "qdrant"), 0o755);
    port = await listen("127.0.33.1", 0); // a port that is free, as whoever wants it is elsewhere
  });
  afterEach(async () => {
    for (const server of listening.splice(0)) await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  it("founds the cluster where it is the first and nobody answers", async () => {
    expect(await start("qdrant-0")).toBe(`--config-path /run/config.yaml --uri https://127.0.32.1:${port}`);
  });

  it("joins a cluster that is there, also as the first: it has lost its volume, and its own would be empty", async () => {
    await listen("127.0.32.3", port);
    expect(await start("qdrant-0")).toBe(`--config-path /run/config.yaml --uri https://127.0.32.1:${port} --bootstrap https://127.0.32.3:${port}`);
    expect(await start("qdrant-1")).toContain(`--bootstrap https://127.0.32.3:${port}`);
  });

  it("waits for the first where nobody answers and it is another", async () => {
    expect(await start("qdrant-2")).toBe(`--config-path /run/config.yaml --uri https://127.0.32.3:${port} --bootstrap https://127.0.32.1:${port}`);
  });

  it("does not start under a name that is none of the nodes'", async () => {
    await expect(start("qdrant-7")).rejects.toThrow(/no node is called qdrant-7/);
    expect(() => qdrantStartScript({ nodes: [], peerPort: 6335 })).toThrow(RangeError);
  });
});

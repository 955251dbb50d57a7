import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isolatedQdrantYaml } from "../../../../plan/config/qdrant-isolated.ts";
import { makeFolder, writeDurably } from "../../../system/files.ts";
import { freePorts } from "../../../system/ports.ts";
import { startServer } from "../../../system/process.ts";
import { waitFor } from "../../../system/wait.ts";
import { QdrantNode } from "./api.ts";

/** Seconds for a server without data to answer. */
const starting = 60;

export interface TemporaryQdrant {
  readonly node: QdrantNode;
  /** Opens it to whoever shall use it besides `node`. */
  readonly url: string;
  readonly apiKeyFile: string;
  stop(): Promise<void>;
}

/** An empty Qdrant on 127.0.0.1 with a key of its own; everything of it is in `dir`. */
export async function startTemporaryQdrant(program: string, dir: string, signal: AbortSignal): Promise<TemporaryQdrant> {
  const apiKey = randomBytes(24).toString("hex");
  const apiKeyFile = join(dir, "key");
  const configFile = join(dir, "qdrant.yaml");
  const [http = 0, grpc = 0] = await freePorts(2);
  await makeFolder(join(dir, "storage"));
  await writeDurably(apiKeyFile, `${apiKey}\n`, { mode: 0o600 });
  await writeDurably(configFile, isolatedQdrantYaml({ dir, ports: { http, grpc }, apiKey }), { mode: 0o600 });
  const server = await startServer("temporary Qdrant", program, ["--config-path", configFile, "--disable-telemetry"], { cwd: dir, logFile: join(dir, "qdrant.log") });
  const url = `http://127.0.0.1:${http}`;
  const node = await QdrantNode.open({ url, apiKeyFile }, signal);
  const stop = async () => {
    await node.close();
    await server.stop();
  };
  try {
    await waitFor("the temporary Qdrant", async () => (await node.collections()).length === 0, { within: starting, signal, fatal: () => !server.running() });
    return { node, url, apiKeyFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startServer } from "../../runner/system/process.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { Cloud } from "./providers/cloud.ts";

/** The simulated providers of AWS, Cloudflare, Kubernetes, PostgreSQL and randomness, in a process of their own. */
export interface Providers {
  /** As the engine takes it in `PULUMI_DEBUG_PROVIDERS`. */
  readonly ports: string;
  /** What exists, whatever any state says. */
  readonly cloud: Cloud;
  /** With a context for each region of the plan, whose API servers answer what a program asks them. */
  readonly kubeconfig: string;
  /** From now on, the clusters have nothing whose path has one of these parts, e.g. `cert-manager.io`. */
  lack(parts: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them on free ports; `folder` holds what exists, so that it outlives them. */
export async function startProviders(folder: string): Promise<Providers> {
  await mkdir(join(folder, "cloud"), { recursive: true });
  const logFile = join(folder, "providers.log");
  const server = await startServer("providers", process.execPath, [join(import.meta.dirname, "providers", "serve.ts"), folder], { logFile });
  const ports = await waitFor("the simulated providers' ports", async () => /^(?:\w+:\d+,?)+$/m.exec(await readFile(logFile, "utf8"))?.[0], { within: 30, fatal: () => !server.running() }).catch(async (error: unknown) => {
    await server.kill();
    throw new Error(`the simulated providers did not start: ${await readFile(logFile, "utf8")}`, { cause: error });
  });
  return {
    ports,
    cloud: new Cloud(join(folder, "cloud")),
    kubeconfig: join(folder, "kubeconfig"),
    lack: (parts) => writeFile(join(folder, "lacking"), parts.join("\n")),
    stop: () => server.stop(),
  };
}

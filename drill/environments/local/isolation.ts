import { access, readlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { readConfig } from "../../../runner/config.ts";
import { messageOf } from "../../../runner/errors.ts";
import { openBackend } from "../../../runner/storage/open.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { run, startServer, type Server } from "../../../runner/system/process.ts";
import { findProgram, lookUpProgram } from "../../../runner/system/programs.ts";
import { isRoot } from "../../../runner/system/user.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { storeBackendNames, type Layout } from "./layout.ts";
import { drillMarker } from "./processes.ts";
import type { ObjectStores } from "./stores.ts";

/** Where a recovery's processes run. */
export type Isolation =
  | {
      readonly kind: "namespace";
      /** For `ChildOptions.networkNamespace`. */
      readonly networkNamespace: number;
    }
  | { readonly kind: "shared"; readonly networkNamespace: undefined; readonly why: string };

/** Seconds. */
const startDeadline = 20;
const relayProgram = join(import.meta.dirname, "..", "relay.ts");

/** Starts a process that holds a network namespace with nothing in it but its loopback; root only. */
export async function holdNamespace(folder: string, drill: string, logFile: string): Promise<Server> {
  const holder = await startServer("network namespace", await findProgram("unshare"), ["--net", "sleep", "infinity"], { cwd: folder, env: { [drillMarker]: drill, HOME: folder }, logFile });
  const own = await readlink("/proc/self/ns/net");
  await waitFor("the network namespace", async () => (await readlink(`/proc/${holder.pid}/ns/net`)) !== own, { within: startDeadline, every: 0.02 });
  await run(await findProgram("ip"), ["link", "set", "lo", "up"], { networkNamespace: holder.pid, deadline: 10 });
  return holder;
}

/**
 * Makes a network namespace that holds nothing but its loopback, and for each object store a pair of relays: one
 * inside, on the port that the configuration names, one outside; between them a Unix socket, which no namespace of
 * the network divides.
 */
export async function makeIsolation(layout: Layout, stores: ObjectStores, signal?: AbortSignal): Promise<Isolation> {
  if (!isRoot()) return { kind: "shared", networkNamespace: undefined, why: "only root can make a network namespace: the recovery shares this machine's network" };
  if ((await lookUpProgram("ip")) === undefined) return { kind: "shared", networkNamespace: undefined, why: "the program ip (iproute2) is not on this machine: the recovery shares this machine's network" };
  await makeFolder(layout.isolation, { mode: 0o700 });
  const env = { [drillMarker]: layout.id, HOME: layout.isolation };
  const holder = await holdNamespace(layout.isolation, layout.id, join(layout.logs, "isolation.log"));
  for (const name of storeBackendNames) {
    const { kind, port } = stores[name];
    if (kind === "folder") continue;
    const socket = join(layout.isolation, `${name}.sock`);
    const relay = (listen: string, to: string, networkNamespace: number | undefined) =>
      startServer(`relay ${name}`, process.execPath, [relayProgram, "--listen", listen, "--to", to], { cwd: layout.isolation, env, networkNamespace, logFile: join(layout.logs, `relay-${name}.log`) });
    await relay(socket, `127.0.0.1:${port}`, undefined);
    await waitFor(`the relay to ${name}`, () => access(socket).then(() => true), { within: startDeadline, ...(signal === undefined ? {} : { signal }) });
    await relay(`127.0.0.1:${port}`, socket, holder.pid);
    await waitFor(`the relay to ${name} inside the namespace`, async () => (await connects(port, holder.pid)) === undefined || undefined, { within: startDeadline, ...(signal === undefined ? {} : { signal }) });
  }
  return { kind: "namespace", networkNamespace: holder.pid };
}

export interface IsolationProof {
  /** What was tried. */
  readonly what: string;
  /** What came of it. */
  readonly answer: string;
  /** Whether it was refused, as it must be. */
  readonly refused: boolean;
}

/** `undefined` where the connection stood, else why it did not. */
async function connects(port: number, networkNamespace: number | undefined): Promise<string | undefined> {
  if (networkNamespace !== undefined) {
    const { code, stderr } = await run("bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`], { networkNamespace, deadline: 10, accept: [0, 1] });
    return code === 0 ? undefined : stderr.trim().split("\n").at(-1)?.replace(/^.*: /, "") ?? "refused";
  }
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve(error.message));
  });
}

/** Every port of production, by the server behind it. */
function portsOf({ etcd, members, redis, sentinels }: Layout): [server: string, port: number][] {
  return [
    ...etcd.map(({ name, clientPort }): [string, number] => [name, clientPort]),
    ...members.flatMap(({ name, postgresPort, restPort }): [string, number][] => [[`PostgreSQL ${name}`, postgresPort], [`Patroni ${name}`, restPort]]),
    ...redis.map(({ region, port }): [string, number] => [`Redis ${region}`, port]),
    ...sentinels.map(({ region, port }): [string, number] => [`Sentinel ${region}`, port]),
  ];
}

/**
 * Tries what a recovery must not be able to do, and tells what came of it: to reach each server of production (where
 * the network is its own), and to write to each store with the credentials of `configFile`. A server or a store that
 * nobody can reach is left out: it refuses everything, which proves nothing.
 */
export async function proveIsolation(layout: Layout, isolation: Isolation, configFile: string): Promise<IsolationProof[]> {
  const proofs: IsolationProof[] = [];
  if (isolation.kind === "namespace") {
    for (const [server, port] of portsOf(layout)) {
      if ((await connects(port, undefined)) !== undefined) continue; // what nobody can reach proves nothing
      const answer = await connects(port, isolation.networkNamespace);
      proofs.push({ what: `connect to ${server} (port ${port}) from inside`, answer: answer ?? "connected", refused: answer !== undefined });
    }
  }
  const { backends } = await readConfig(configFile);
  for (const config of backends) {
    if (config.kind === "folder") continue; // a folder has no credentials; the drill's `skipped` says so
    const backend = await openBackend(config);
    try {
      const answers = await backend.check().then(
        () => true,
        () => false, // a store that is gone refuses everything: no proof
      );
      if (!answers) continue;
      const key = `drill/${layout.id}/must-be-refused`;
      const answer = await backend.put(key, Buffer.from("refuse me")).then(
        () => "written",
        (error: unknown) => messageOf(error),
      );
      const refused = answer !== "written" && (await backend.head(key)) === undefined;
      proofs.push({ what: `write to ${config.name} with the recovery's credentials`, answer, refused });
    } finally {
      backend.close();
    }
  }
  return proofs;
}

import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { readSecret } from "../../config.ts";
import { DrError } from "../../errors.ts";
import { makeFolder, writeDurably } from "../../system/files.ts";
import { freePorts } from "../../system/ports.ts";
import { run, startServer } from "../../system/process.ts";
import { dyingWithUs } from "../../system/dying.ts";
import { lookUpProgram } from "../../system/programs.ts";
import { waitFor } from "../../system/wait.ts";
import type { SealConfig } from "./config.ts";
import { healthOf, openVault, type VaultLink } from "./connection.ts";

export interface VaultProgram {
  readonly path: string;
  readonly name: "bao" | "vault";
}

/** OpenBao, or else HashiCorp Vault; `undefined` where neither is on this machine. */
export async function findVaultProgram(): Promise<VaultProgram | undefined> {
  for (const name of ["bao", "vault"] as const) {
    const path = await lookUpProgram(name);
    if (path !== undefined) return { path, name };
  }
  return undefined;
}

export interface IsolatedVaultOptions {
  readonly program: VaultProgram;
  /** Holds nothing yet; the server's data and configuration go there. */
  readonly dir: string;
  /** What it is sealed by; absent: Shamir's keys, which its initialisation makes. */
  readonly seal?: SealConfig | undefined;
  readonly signal: AbortSignal;
}

export interface IsolatedVault {
  readonly address: string;
  readonly pid: number;
  readonly link: VaultLink;
  stop(): Promise<void>;
}

/** Seconds until it must answer; a seal that cannot be reached makes it end earlier. */
const startDeadline = 60;

/**
 * Starts a server alone, not initialised, that answers on the loopback interface. It dies with this process, killed or
 * not, where the kernel's parent-death signal can be had: it may hold what nobody else should find.
 */
export async function startIsolatedVault(options: IsolatedVaultOptions): Promise<IsolatedVault> {
  const { program, dir, signal } = options;
  // A raft server must know its own before it starts.
  const [api = 0, cluster = 0] = await freePorts(2);
  const data = await makeFolder(join(dir, "raft"));
  const config = join(dir, "server.json");
  const logFile = join(dir, "server.log");
  const address = `http://127.0.0.1:${api}`;
  await writeDurably(config, JSON.stringify(await serverConfig(options, { api, cluster, data })), { mode: 0o600 });
  const server = await startServer("Vault of its own", ...(await dyingWithUs(program.path, ["server", `-config=${config}`])), { cwd: dir, logFile, signal, env: environment(options) });
  const link = await openVault({ address });
  const stop = async () => {
    await link.close();
    await server.kill(); // nothing of it is kept
  };
  try {
    const look = async () => (server.running() ? await healthOf(link, signal).catch(() => undefined) : "ended");
    const seen = await waitFor("an answer of the temporary Vault", look, { within: startDeadline, every: 0.05, signal });
    if (seen === "ended") throw new DrError({ kind: "unavailable", what: `the temporary Vault ended as it started: ${await lastWords(logFile)}`, where: dir, todo: "Correct what its log says; it uses the seal of the configuration (vault.seal)." });
    return { address, pid: server.pid, link, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  readonly api: number;
  readonly cluster: number;
  readonly data: string;
}

async function serverConfig({ program, seal }: IsolatedVaultOptions, { api, cluster, data }: Place): Promise<unknown> {
  return {
    cluster_name: "dr-verification",
    api_addr: `http://127.0.0.1:${api}`,
    cluster_addr: `https://127.0.0.1:${cluster}`,
    ui: false,
    // OpenBao has none; Vault wants it said where the storage is raft.
    ...(program.name === "vault" ? { disable_mlock: true } : {}),
    // Of the loopback interface, for the minutes of a verification; nobody has a token of it but us, and we make ours of
    // the unseal keys, which OpenBao since 2.5.3 lets nobody do without a token unless it is told to.
    listener: [{ tcp: { address: `127.0.0.1:${api}`, cluster_address: `127.0.0.1:${cluster}`, tls_disable: true, ...(program.name === "bao" ? { disable_unauthed_generate_root_endpoints: false } : {}) } }],
    // The least patience with a leader: it is alone, and each of its elections is waited for.
    storage: { raft: { path: data, node_id: "verification", performance_multiplier: 1 } },
    ...(seal === undefined || seal.type === "shamir" ? {} : { seal: [{ [seal.type]: await sealStanza(seal) }] }),
    ...(seal?.type === "awskms" && seal.plugin !== undefined ? { plugin_directory: seal.plugin.directory, plugin: [{ kms: [{ awskms: { command: seal.plugin.command, sha256sum: seal.plugin.sha256 } }] }] } : {}),
  };
}

async function sealStanza(seal: Exclude<SealConfig, { readonly type: "shamir" }>): Promise<Readonly<Record<string, string>>> {
  switch (seal.type) {
    case "static":
      return { current_key_id: seal.keyId, current_key: `file://${seal.keyFile}` };
    case "transit":
      return { address: seal.address, token: await readSecret(seal.tokenFile, "the transit seal's token"), key_name: seal.key, mount_path: `${seal.mount}/`, disable_renewal: "true", ...(seal.caFile === undefined ? {} : { tls_ca_cert: seal.caFile }) };
    case "awskms":
      return { region: seal.region, kms_key_id: seal.key, ...(seal.endpoint === undefined ? {} : { endpoint: seal.endpoint }) };
  }
}

/** Where AWS's credentials are found; the names of files, never what is in them. */
function environment({ dir, seal }: IsolatedVaultOptions): Readonly<Record<string, string>> {
  const home = { HOME: dir, TMPDIR: dir };
  if (seal?.type !== "awskms") return home;
  if (seal.credentialsFile !== undefined) return { ...home, AWS_SHARED_CREDENTIALS_FILE: seal.credentialsFile };
  const names = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS"];
  return { ...home, ...Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))) };
}

async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "it wrote no log");
  return text.trim().split("\n").slice(-3).join(" | ");
}

export async function versionOf({ path }: VaultProgram): Promise<string> {
  const { stdout } = await run(path, ["version"], { deadline: 20 });
  return /v(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? stdout.trim();
}

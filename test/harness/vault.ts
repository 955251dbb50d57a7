import { join } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import { ask, withToken, type VaultLink } from "../../runner/stores/vault/connection.ts";
import type { SealConfig, VaultConfig } from "../../runner/stores/vault/config.ts";
import { findVaultProgram, startIsolatedVault, type IsolatedVault } from "../../runner/stores/vault/isolated-server.ts";
import { waitUntilActive } from "../../runner/stores/vault/unseal.ts";
import { z } from "zod";

/** Whether this machine has OpenBao or Vault; tests that need one are skipped, and counted, where it has not. */
export const vaultProgram = await findVaultProgram();

export interface TestVault extends IsolatedVault {
  readonly root: VaultLink;
  readonly tokenFile: string;
  /** Unseal keys, or recovery keys of a server that unseals itself. */
  readonly keysFile: string;
  readonly config: VaultConfig & { readonly server: NonNullable<VaultConfig["server"]> };
}

const initialised = z.object({ root_token: z.string(), keys_base64: z.array(z.string()).default([]), recovery_keys_base64: z.array(z.string()).default([]) });
const signal = new AbortController().signal;

/** A real server that is not initialised. */
export async function startEmptyVault(dir: string, seal?: SealConfig): Promise<IsolatedVault> {
  if (vaultProgram === undefined) throw new Error("neither bao nor vault is on this machine");
  await mkdir(dir, { recursive: true });
  return startIsolatedVault({ program: vaultProgram, dir, seal, signal });
}

/** A real server in use: initialised (Shamir's seal: 3 keys, 2 of which unseal it), unsealed, with secrets in it. */
export async function startTestVault(dir: string, seal?: SealConfig): Promise<TestVault> {
  const server = await startEmptyVault(dir, seal);
  try {
    const shares = seal === undefined ? { secret_shares: 3, secret_threshold: 2 } : { recovery_shares: 1, recovery_threshold: 1 };
    const made = await server.link.http.json(initialised, { method: "PUT", path: "/v1/sys/init", json: shares, deadline: 120 });
    const keys = seal === undefined ? made.keys_base64.slice(1) : made.recovery_keys_base64;
    if (seal === undefined) for (const key of keys) await server.link.http.text({ method: "PUT", path: "/v1/sys/unseal", json: { key }, deadline: 120 });
    await waitUntilActive(server.link, signal);
    const [tokenFile, keysFile] = [join(dir, "token"), join(dir, "keys")];
    await writeFile(tokenFile, `${made.root_token}\n`, { mode: 0o600 });
    await writeFile(keysFile, `${keys.join("\n")}\n`, { mode: 0o600 });
    const root = withToken(server.link, made.root_token);
    await root.http.text({ method: "POST", path: "/v1/sys/mounts/secret", json: { type: "kv", options: { version: "2" } }, headers: root.as });
    const config = { server: { address: server.address, login: { method: "token" as const, tokenFile } }, seal: seal ?? { type: "shamir" as const, keysFile }, canary: "secret/data/dr/canary" };
    const vault = { ...server, root, tokenFile, keysFile, config };
    await writeSecret(vault, "dr/canary", "sings");
    return vault;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A mount of version 2 takes writes a moment after it was made. */
export async function writeSecret({ root }: Pick<TestVault, "root">, path: string, value: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { status, text } = await root.http.text({ method: "POST", path: `/v1/secret/data/${path}`, json: { data: { value } }, headers: root.as, accept: [400, 404] });
    if (status < 300) return;
    if (attempt > 50) throw new Error(text);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const secret = z.object({ data: z.object({ data: z.object({ value: z.string() }) }) });
export const readSecretOf = async (link: VaultLink, path: string): Promise<string> => (await ask(link, secret, { path: `/v1/secret/data/${path}` })).data.data.value;

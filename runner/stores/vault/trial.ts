import { join } from "node:path";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder } from "../../system/files.ts";
import type { MeasuredWork, VerificationCheck } from "../../verification.ts";
import type { SealConfig } from "./config.ts";
import { logIn, withToken, type VaultLink } from "./connection.ts";
import { openSnapshot } from "./fetch.ts";
import { startIsolatedVault, type VaultProgram } from "./isolated-server.ts";
import { keysIn } from "./open-seal.ts";
import { readCanary, readSecrets } from "./read-secrets.ts";
import { restoreSnapshot } from "./restore.ts";
import { describeSeal, type SnapshotSeal } from "./seal.ts";
import { initialise, makeRootToken, unseal, waitUntilActive } from "./unseal.ts";

export interface Trial {
  readonly program: VaultProgram;
  readonly dir: string;
  /** The copy as it is stored. */
  readonly path: string;
  readonly passphrase: string;
  readonly seal: SealConfig;
  readonly needed: SnapshotSeal;
}

/** Restores a snapshot into a server of its own, with the seal that is at hand, and reads what is in it. */
export async function restoreAndRead(context: RunContext, trial: Trial, checks: VerificationCheck[]): Promise<{ readonly measured: MeasuredWork; readonly errors: readonly string[] }> {
  const { signal } = context;
  const { dir, needed, passphrase, path, program, seal } = trial;
  const starting = performance.now();
  const server = await startIsolatedVault({ program, dir: await makeFolder(join(dir, "server")), seal, signal });
  try {
    const { rootToken, keys } = await initialise(server.link, needed, signal);
    if (keys.length > 0) await unseal(server.link, keys, signal);
    await waitUntilActive(server.link, signal);
    const startUpSeconds = secondsSince(starting);
    const { unsealed, uploadSeconds, unsealSeconds } = await restoreSnapshot(withToken(server.link, rootToken), { snapshot: openSnapshot(path, passphrase), seal, signal });
    checks.push({ name: `a server (${program.name}) takes it and is unsealed by the seal at hand`, ok: unsealed, detail: describeSeal(needed) });
    const errors = await readSomething(context, server.link, seal, checks);
    return { measured: { startUpSeconds, vaultRestoreSeconds: uploadSeconds + unsealSeconds }, errors };
  } catch (error) {
    signal.throwIfAborted();
    checks.push({ name: `a server (${program.name}) takes it and is unsealed by the seal at hand`, ok: false, detail: messageOf(error) });
    return { measured: {}, errors: [messageOf(error)] };
  } finally {
    await server.stop();
  }
}

/** As whoever can be: by a token made of the keys, or else by the configured one, which is in the snapshot too. */
async function readSomething({ config, signal }: RunContext, link: VaultLink, seal: SealConfig, checks: VerificationCheck[]): Promise<readonly string[]> {
  const canary = config.vault?.canary;
  const keysFile = seal.type === "shamir" ? seal.keysFile : seal.recoveryKeysFile;
  const root = keysFile === undefined ? undefined : await makeRootToken(link, await keysIn(keysFile, "the keys"), signal);
  if (root !== undefined) {
    const { mounts, secrets, errors } = await readSecrets(root, canary, signal);
    checks.push({ name: "its secrets are readable", ok: errors.length === 0, detail: `${secrets} secrets read, ${mounts} mounts` });
    return errors;
  }
  const server = config.vault?.server;
  if (canary !== undefined && server?.login.method === "token") {
    await readCanary(await logIn(link, server, signal), canary, signal);
    checks.push({ name: "the canary is readable", ok: true, detail: canary });
    return [];
  }
  // Unsealed means: its keyring, its mounts, policies and tokens were decrypted and read.
  checks.push({ name: "no secret was read: nobody to log in as", ok: true, detail: "the server is active; give vault.seal.recoveryKeysFile, or vault.canary with a token, to read one" });
  return [];
}


import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import type { RejectedCopy } from "../../copies.ts";
import { DrError, messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder, removeTree } from "../../system/files.ts";
import { authorise } from "./authorise.ts";
import { sealIn } from "./back-up.ts";
import { chooseSnapshot, type BackupChoice } from "./choose.ts";
import { healthOf, logIn, openVault, sealStatusOf, vaultOf, type SealStatus, type VaultAddress, type VaultHealth, type VaultLink } from "./connection.ts";
import { fetchAnyCopy, openSnapshot } from "./fetch.ts";
import { forgetInit, keptInit } from "./kept-init.ts";
import { readCanary } from "./read-secrets.ts";
import { openLoaded, restoreSnapshot } from "./restore.ts";
import { describeSeal, type SnapshotSeal } from "./seal.ts";

export interface VaultRecoveryOptions {
  readonly backup: BackupChoice;
  /** The server that gets it. Default: the configured one. */
  readonly to?: VaultAddress;
  /** Replace what an initialised server holds; the configured login must be allowed to. */
  readonly force?: boolean;
}

export interface VaultRecoveryPlan {
  readonly backup: string;
  readonly recoveredTo: string;
  readonly bytes: number;
  readonly target: string;
  readonly targetState: VaultHealth["state"];
  readonly targetSeal: string;
  /** In words: what opens the snapshot; `undefined` where its record does not say. */
  readonly opensWith: string | undefined;
  /** What would stop it, or what a person has to do. */
  readonly notes: readonly string[];
}

export interface VaultRecovery {
  readonly backup: string;
  readonly target: string;
  /** ISO 8601; everything that Vault had at this time is there. */
  readonly recoveredTo: string;
  readonly from: string;
  readonly rejected: readonly RejectedCopy[];
  /** `false`: it holds the snapshot and waits for people's unseal keys. */
  readonly unsealed: boolean;
  readonly opensWith: string;
  /** Whether a secret was read with the configured login, or why not. */
  readonly secrets: { readonly read: boolean; readonly detail: string };
  readonly bytes: number;
  readonly seconds: { readonly download: number; readonly restore: number; readonly unseal: number; readonly total: number };
}

interface Target {
  readonly link: VaultLink;
  readonly health: VaultHealth;
  readonly seal: SealStatus;
}

/** What a recovery would do, without doing it. */
export async function planVaultRecovery(context: RunContext, options: VaultRecoveryOptions): Promise<VaultRecoveryPlan> {
  const record = await chooseSnapshot(context, options.backup);
  return withTarget(context, options, ({ link, health, seal }) => {
    const needed = sealIn(record);
    const misfit = needed === undefined ? undefined : targetMisfit(needed, seal);
    const notes = [
      ...(misfit === undefined ? [] : [misfit]),
      ...(health.state === "not initialised" ? [] : [`${link.http.url} is initialised: what it holds would be replaced, which needs --force`]),
      ...(needed?.type === "shamir" && vaultOf(context).seal?.type !== "shamir" ? [`people have to unseal it: ${describeSeal(needed)}`] : []),
    ];
    return Promise.resolve({ backup: record.id, recoveredTo: record.watermark.time, bytes: record.sourceBytes, target: link.http.url, targetState: health.state, targetSeal: seal.type, opensWith: needed === undefined ? undefined : describeSeal(needed), notes });
  });
}

/**
 * Loads a snapshot into a fresh server, which is initialised for it: choose, download, decrypt, look through, load,
 * unseal, read. A server that holds anything is refused without `force`. The snapshot lies on no disk unencrypted.
 * @throws DrError where any of it fails; a server that was initialised by it goes on with the next attempt.
 */
export async function recoverVault(context: RunContext, options: VaultRecoveryOptions): Promise<VaultRecovery> {
  const begun = performance.now();
  const record = await chooseSnapshot(context, options.backup);
  return withTarget(context, options, async (target) => {
    await refuseHeld(context, target, options.force === true);
    const dir = await mkdtemp(join(await makeFolder(join(context.config.workDirectory, "recover")), "vault-"));
    try {
      return await load(context, record, target, { path: join(dir, "raft.snap.pgp"), begun, force: options.force === true });
    } finally {
      await removeTree(dir);
    }
  });
}

async function withTarget<T>(context: RunContext, options: VaultRecoveryOptions, work: (target: Target) => Promise<T>): Promise<T> {
  const address = options.to ?? vaultOf(context).server;
  if (address === undefined || !("address" in address)) throw new DrError({ kind: "usage", what: "nothing says which server gets the snapshot", where: "--to", todo: "Name its address with --to." });
  const link = await openVault(address);
  try {
    return await work({ link, health: await healthOf(link, context.signal), seal: await sealStatusOf(link, context.signal) });
  } finally {
    await link.close();
  }
}

/**
 * Asks the target whether it may be filled, and changes nothing.
 * @throws DrError as `recoverVault` would, before it begins
 */
export async function checkVaultTarget(context: RunContext, options: VaultRecoveryOptions): Promise<void> {
  const record = await chooseSnapshot(context, options.backup);
  await withTarget(context, options, async (target) => {
    await refuseHeld(context, target, options.force === true);
    const needed = sealIn(record);
    const misfit = needed === undefined ? undefined : targetMisfit(needed, target.seal);
    if (misfit !== undefined) throw unfit(misfit, target);
  });
}

const unfit = (misfit: string, { link }: Target): DrError => new DrError({ kind: "refused", what: misfit, where: link.http.url, todo: "Configure the server with the seal that the snapshot was made under." });

/** A server that was initialised for an earlier attempt is ours; any other that is initialised holds something. */
async function refuseHeld(context: RunContext, { link, health }: Target, force: boolean): Promise<void> {
  if (health.state === "not initialised" || force || (await keptInit(context, link)) !== undefined) return;
  throw new DrError({ kind: "refused", what: `this Vault is initialised (${health.state}): what it holds would be replaced`, where: link.http.url, todo: "Name a fresh server with --to, or add --force if what it holds may go." });
}

interface Load {
  readonly path: string;
  readonly begun: number;
  readonly force: boolean;
}

async function load(context: RunContext, record: BackupRecord, target: Target, { path, begun, force }: Load): Promise<VaultRecovery> {
  const { signal } = context;
  const { seal } = vaultOf(context);
  context.report({ step: `download ${record.id}`, total: record.sourceBytes, unit: "bytes" });
  const downloading = performance.now();
  const { backend, rejected, value: summary } = await fetchAnyCopy(context, record, path);
  const download = secondsSince(downloading);
  const needed = summary.seal;
  if (needed === undefined) throw new DrError({ kind: "failed", what: "the snapshot names no seal: no server could be unsealed with it", where: record.id, todo: "Choose another backup." });
  const misfit = targetMisfit(needed, target.seal);
  if (misfit !== undefined) throw unfit(misfit, target);
  context.report({ step: "make the server ready" });
  const { link, loaded } = await authorise(context, { link: target.link, health: target.health, seal: needed, backup: record.id, force });
  if (loaded === undefined) context.report({ step: "load the snapshot", total: summary.bytes, unit: "bytes" });
  const { unsealed, uploadSeconds, unsealSeconds } = loaded === undefined
    ? await restoreSnapshot(link, { snapshot: openSnapshot(path, await context.passphrase()), seal, signal })
    : { unsealed: await openLoaded(link, loaded, seal, signal), uploadSeconds: 0, unsealSeconds: 0 };
  await forgetInit(context, target.link);
  return {
    backup: record.id, target: target.link.http.url, recoveredTo: record.watermark.time, from: backend, rejected, unsealed, opensWith: describeSeal(needed), bytes: summary.bytes,
    secrets: unsealed ? await readBack(context, target.link) : { read: false, detail: "it is sealed" },
    seconds: { download, restore: uploadSeconds, unseal: unsealSeconds, total: secondsSince(begun) },
  };
}

/** Nothing is replaced where the server could not be unsealed afterwards. */
function targetMisfit(needed: SnapshotSeal, { type, initialized, t }: SealStatus): string | undefined {
  if (type !== needed.type) return `the snapshot opens with ${describeSeal(needed)} alone, and the server's seal is ${type}`;
  // It goes on counting by the number that it began with, and would refuse the snapshot's keys until it is restarted.
  return type === "shamir" && initialized && t !== needed.threshold ? `the snapshot opens with ${describeSeal(needed)}, and the server asks for ${t}: take a fresh one` : undefined;
}

/** A login may not be possible yet: Kubernetes' of another cluster is asked for by the address that the snapshot knows. */
export async function readBack(context: RunContext, link: VaultLink): Promise<VaultRecovery["secrets"]> {
  const { canary, server } = vaultOf(context);
  if (server === undefined) return { read: false, detail: "the configuration names no login" };
  try {
    const authorised = await logIn(link, server, context.signal);
    if (canary === undefined) return { read: false, detail: "logged in; the configuration names no canary to read" };
    await readCanary(authorised, canary, context.signal);
    return { read: true, detail: canary };
  } catch (error) {
    context.signal.throwIfAborted();
    return { read: false, detail: messageOf(error) };
  }
}

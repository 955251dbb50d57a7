import type { Readable } from "node:stream";
import { z } from "zod";
import { DrError } from "../../errors.ts";
import { HttpError } from "../../system/http.ts";
import { waitFor } from "../../system/wait.ts";
import { ask, healthOf, sealStatusOf, withToken, type VaultLink } from "./connection.ts";
import type { SealConfig } from "./config.ts";
import { keysIn } from "./open-seal.ts";
import { unseal, waitUntilActive } from "./unseal.ts";

export interface Restore {
  /** The snapshot, unencrypted; read once. */
  readonly snapshot: Readable;
  /** Where a server does not unseal itself, its keys; absent: a person unseals it. */
  readonly seal: SealConfig | undefined;
  readonly signal: AbortSignal;
}

export interface Restored {
  /** `false`: it holds the snapshot, and waits for its unseal keys. */
  readonly unsealed: boolean;
  readonly uploadSeconds: number;
  readonly unsealSeconds: number;
}

/** Seconds for a whole snapshot to be taken and applied. */
const uploadDeadline = 1_800;
const applyDeadline = 300;

/**
 * Loads a snapshot into an unsealed server, as whoever `link` is there, in the place of all that it holds; then it is
 * unsealed as the snapshot wants it. A server that unseals itself checks the seal before anything is replaced;
 * one of Shamir's cannot, as it has other keys than the snapshot's.
 */
export async function restoreSnapshot(link: VaultLink, { snapshot, seal, signal }: Restore): Promise<Restored> {
  const { type } = await sealStatusOf(link, signal);
  const shamir = type === "shamir";
  const probe = await youngToken(link, signal);
  const begun = performance.now();
  await upload(link, shamir ? "snapshot-force" : "snapshot", snapshot, signal);
  const uploadSeconds = (performance.now() - begun) / 1_000;
  const loaded = await waitUntilApplied(probe, shamir, signal);
  const unsealing = performance.now();
  const unsealed = await openLoaded(link, loaded, seal, signal);
  return { unsealed, uploadSeconds, unsealSeconds: (performance.now() - unsealing) / 1_000 };
}

/** Opens a server that holds the snapshot, and waits until it works; `false` where people have the unseal keys. */
export async function openLoaded(link: VaultLink, state: "active" | "sealed", seal: SealConfig | undefined, signal: AbortSignal): Promise<boolean> {
  if (state === "sealed") {
    if (seal?.type !== "shamir") return false;
    await unseal(link, await keysIn(seal.keysFile, "the unseal keys"), signal);
  }
  await waitUntilActive(link, signal);
  return true;
}

async function upload(link: VaultLink, way: "snapshot" | "snapshot-force", snapshot: Readable, signal: AbortSignal): Promise<void> {
  try {
    await link.http.text({ method: "POST", path: `/v1/sys/storage/raft/${way}`, body: snapshot, headers: { ...link.as, "content-type": "application/octet-stream" }, deadline: uploadDeadline, signal });
  } catch (error) {
    if (snapshot.errored instanceof DrError) throw snapshot.errored; // what was to be sent broke, not the server
    if (!(error instanceof HttpError) || !/different (autoseal key|set of unseal keys)/.test(error.what)) throw error;
    throw new DrError({ kind: "failed", what: "the server's seal does not open this snapshot; nothing of the server was replaced", where: link.http.url, todo: "Give the server the seal's key that the snapshot was made under (`dr catalog show` names it).", cause: error });
  }
}

const tokenAnswer = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/**
 * A token that is younger than the snapshot: nothing else tells that the snapshot is there, since the server takes it,
 * answers, and applies it afterwards. The token dies with what it belonged to.
 */
async function youngToken(link: VaultLink, signal: AbortSignal): Promise<VaultLink> {
  const { auth } = await ask(link, tokenAnswer, { method: "POST", path: "/v1/auth/token/create", json: { ttl: "1h", no_default_policy: false, display_name: "dr-recovery" }, signal });
  return withToken(link, auth.client_token);
}

/** `sealed`: Shamir's server has it, and asks for its keys. */
async function waitUntilApplied(probe: VaultLink, shamir: boolean, signal: AbortSignal): Promise<"active" | "sealed"> {
  const look = async (): Promise<"active" | "sealed" | undefined> => {
    const health = await healthOf(probe, signal).catch(() => undefined);
    if (health === undefined) return undefined;
    if (health.state === "sealed") return shamir ? "sealed" : undefined;
    if (health.state !== "active") return undefined;
    const { status } = await probe.http.text({ path: "/v1/auth/token/lookup-self", headers: probe.as, accept: [400, 403, 500, 503], signal }).catch(() => ({ status: 0 }));
    return status === 403 ? "active" : undefined;
  };
  try {
    return await waitFor("the snapshot being applied", look, { within: applyDeadline, every: 0.1, signal });
  } catch (cause) {
    signal.throwIfAborted();
    const state = (await healthOf(probe, signal).catch(() => undefined))?.state ?? "silent";
    throw new DrError({ kind: "failed", what: `the snapshot was taken, and after ${applyDeadline} s the server is ${state}${state === "sealed" ? ": its seal does not open the snapshot" : ""}`, where: probe.http.url, todo: "Read the server's log. Where its seal is another than the snapshot's, give it that seal's key.", cause });
  }
}

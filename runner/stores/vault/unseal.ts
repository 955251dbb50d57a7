import { z } from "zod";
import { DrError } from "../../errors.ts";
import { HttpError } from "../../system/http.ts";
import { waitFor } from "../../system/wait.ts";
import { healthOf, sealStatusOf, withToken, type VaultLink } from "./connection.ts";
import type { SnapshotSeal } from "./seal.ts";

const initAnswer = z.object({ root_token: z.string().min(1), keys_base64: z.array(z.string()).default([]) });

/** What an empty server's initialisation gave; worth nothing once a snapshot has replaced what it made. */
export interface Initialised {
  readonly rootToken: string;
  /** Of Shamir's seal; none where it unseals itself. */
  readonly keys: readonly string[];
}

/**
 * Initialises an empty server for a snapshot, with as many unseal keys as that wants: a running server goes on counting
 * by the number that it began with, and would take the first of the snapshot's keys for the whole (seen in OpenBao 2.6.2).
 */
export async function initialise(link: VaultLink, { shares: n, threshold }: Pick<SnapshotSeal, "shares" | "threshold">, signal: AbortSignal): Promise<Initialised> {
  const { type } = await sealStatusOf(link, signal);
  const shares = type === "shamir" ? { secret_shares: n, secret_threshold: threshold } : { recovery_shares: 1, recovery_threshold: 1 };
  const { root_token: rootToken, keys_base64: keys } = await link.http.json(initAnswer, { method: "PUT", path: "/v1/sys/init", json: shares, deadline: 120, signal });
  return { rootToken, keys: type === "shamir" ? keys : [] };
}

const unsealAnswer = z.object({ sealed: z.boolean(), progress: z.number(), t: z.number() });

/** Gives one key after the other. A `DrError` where they are another Vault's, or too few. */
export async function unseal(link: VaultLink, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const wrong = (what: string, cause?: unknown) => new DrError({ kind: "failed", what, where: link.http.url, todo: "Find the unseal keys that were in force when the snapshot was made; without them what it holds is lost.", cause });
  try {
    await link.http.json(unsealAnswer, { method: "PUT", path: "/v1/sys/unseal", json: { reset: true }, signal });
    for (const key of keys) {
      const { sealed } = await link.http.json(unsealAnswer, { method: "PUT", path: "/v1/sys/unseal", json: { key }, deadline: 120, signal });
      if (!sealed) return;
    }
  } catch (error) {
    if (error instanceof HttpError && error.status !== undefined && error.status < 500) throw wrong(`the unseal keys at hand do not open it: ${error.what}`, error);
    throw error;
  }
  throw wrong(`${keys.length} unseal keys are too few to open it`);
}

/** Seconds; the server reads its mounts, its tokens' leases and its audit devices meanwhile. */
const activeDeadline = 120;

export async function waitUntilActive(link: VaultLink, signal: AbortSignal): Promise<void> {
  await waitFor(`${link.http.url} being active`, async () => ((await healthOf(link, signal).catch(() => undefined))?.state === "active" ? true : undefined), { within: activeDeadline, every: 0.1, signal });
}

const attemptAnswer = z.object({ nonce: z.string(), otp: z.string() });
const updateAnswer = z.object({ complete: z.boolean(), encoded_token: z.string().default(""), encoded_root_token: z.string().default("") });

/**
 * A root token made of the unseal keys, or of an auto-unsealed server's recovery keys: for a temporary server alone.
 * `undefined` where the server makes none for people without a token, as OpenBao's versions to come will not.
 */
export async function makeRootToken(link: VaultLink, keys: readonly string[], signal: AbortSignal): Promise<VaultLink | undefined> {
  const { status, text } = await link.http.text({ method: "PUT", path: "/v1/sys/generate-root/attempt", json: {}, accept: [404, 405], signal });
  if (status >= 400) return undefined;
  const { nonce, otp } = attemptAnswer.parse(JSON.parse(text));
  for (const key of keys) {
    const { complete, encoded_token: token, encoded_root_token: old } = await link.http.json(updateAnswer, { method: "PUT", path: "/v1/sys/generate-root/update", json: { key, nonce }, signal });
    if (complete) return withToken(link, plainToken(token === "" ? old : token, otp));
  }
  throw new DrError({ kind: "failed", what: `${keys.length} keys are too few for a token`, where: link.http.url, todo: "Add the others to the file, one a line." });
}

function plainToken(encoded: string, otp: string): string {
  const pad = Buffer.from(otp);
  return Buffer.from(Buffer.from(encoded, "base64").map((byte, index) => byte ^ (pad[index] ?? 0))).toString("utf8");
}

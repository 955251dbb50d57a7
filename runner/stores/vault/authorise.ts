/** Who may load a snapshot into a server, and whether an attempt that was cut off has done so already. */
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { HttpError } from "../../system/http.ts";
import { healthOf, logIn, vaultOf, withToken, type VaultHealth, type VaultLink } from "./connection.ts";
import { keepInit, keptInit, type KeptInit } from "./kept-init.ts";
import type { SnapshotSeal } from "./seal.ts";
import { initialise, unseal, waitUntilActive } from "./unseal.ts";

export interface Authorised {
  /** As whoever may load it. */
  readonly link: VaultLink;
  /** The server has the snapshot from an attempt that was cut off, and is in this state; absent: it is to be loaded. */
  readonly loaded?: "active" | "sealed";
}

export interface AuthoriseRequest {
  readonly link: VaultLink;
  readonly health: VaultHealth;
  /** Of the snapshot. */
  readonly seal: SnapshotSeal;
  /** Id of the backup that is to be loaded. */
  readonly backup: string;
  readonly force: boolean;
}

/** As root of a server that we initialised, now or in an attempt that was cut off; otherwise as the configuration says. */
export async function authorise(context: RunContext, { link, health, seal, backup, force }: AuthoriseRequest): Promise<Authorised> {
  const { signal } = context;
  const kept = health.state === "not initialised" ? undefined : await keptInit(context, link);
  if (health.state !== "not initialised" && kept === undefined) return { link: await asConfigured(context, link, force) };
  const made: KeptInit = kept ?? (await initialise(link, seal, signal));
  await keepInit(context, link, made);
  const loaded = kept?.loading === undefined ? undefined : await stateAsLoaded(context, link, kept);
  if (loaded !== undefined) {
    if (kept?.loading === backup) return { link, loaded };
    if (loaded === "active" && force) return { link: await asConfigured(context, link, force) };
    throw new DrError({ kind: "refused", what: `an attempt that was cut off has loaded ${kept?.loading ?? "another backup"} into this server`, where: link.http.url, todo: "Recover that one to its end, or take a fresh server." });
  }
  if (made.keys.length > 0 && (await healthOf(link, signal)).state === "sealed") await unseal(link, made.keys, signal);
  await waitUntilActive(link, signal);
  await keepInit(context, link, { ...made, loading: backup });
  return { link: withToken(link, made.rootToken) };
}

async function asConfigured(context: RunContext, link: VaultLink, force: boolean): Promise<VaultLink> {
  const { server } = vaultOf(context);
  if (server !== undefined && force) return logIn(link, server, context.signal);
  throw new DrError({ kind: "usage", what: "the server is initialised, and nothing says how to log in to it", where: "vault.server", todo: "Add how to log in to the configuration." });
}

/**
 * What the server is when it has the snapshot of an attempt that was cut off; `undefined` where it still is as we
 * initialised it: our keys and our token die with what the snapshot replaces.
 */
async function stateAsLoaded({ signal }: RunContext, link: VaultLink, { keys, rootToken }: KeptInit): Promise<"active" | "sealed" | undefined> {
  if (keys.length > 0 && (await healthOf(link, signal)).state === "sealed") {
    const opens = await unseal(link, keys, signal).then(() => true, (error: unknown) => {
      if (error instanceof DrError && error.cause instanceof HttpError) return false; // it is asked for other keys
      throw error;
    });
    if (!opens) return "sealed";
  }
  await waitUntilActive(link, signal);
  const { status } = await link.http.text({ path: "/v1/auth/token/lookup-self", headers: withToken(link, rootToken).as, accept: [403], signal });
  return status === 403 ? "active" : undefined;
}

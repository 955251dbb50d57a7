import { z } from "zod";
import { readSecret } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { openHttpServer, type HttpRequest, type HttpServer } from "../../system/http.ts";
import type { VaultConfig, VaultServerConfig } from "./config.ts";

export function vaultOf({ config }: RunContext): VaultConfig {
  if (config.vault !== undefined) return config.vault;
  throw new DrError({ kind: "usage", what: "the configuration names no Vault", where: "vault", todo: "Add `vault` to the configuration." });
}

export function vaultServerOf(context: RunContext): VaultServerConfig {
  const { server } = vaultOf(context);
  if (server !== undefined) return server;
  throw new DrError({ kind: "usage", what: "the configuration names no server of Vault", where: "vault.server", todo: "Add its address and how to log in." });
}

/** A server of OpenBao or Vault, and who we are there once we have logged in. */
export interface VaultLink {
  readonly http: HttpServer;
  /** Headers that say who asks; secret. */
  readonly as: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface VaultAddress {
  readonly address: string;
  readonly caFile?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Opens the server without logging in: health, seal and initialisation need nobody. */
export async function openVault({ address, caFile, namespace }: VaultAddress): Promise<VaultLink> {
  const http = await openHttpServer({ name: "Vault", url: address, caFile });
  return { http, as: namespaced(namespace), close: () => http.close() };
}

const namespaced = (namespace: string | undefined): Readonly<Record<string, string>> => (namespace === undefined ? {} : { "x-vault-namespace": namespace });

export const withToken = (link: VaultLink, token: string): VaultLink => ({ ...link, as: { ...link.as, "x-vault-token": token } });

const loginAnswer = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/** Logs in as the configuration says. The token that comes of it is revoked by nobody: it is short-lived by its role. */
export async function logIn(link: VaultLink, { login, namespace }: VaultServerConfig, signal: AbortSignal): Promise<VaultLink> {
  if (login.method === "token") return withToken(link, await readSecret(login.tokenFile, "Vault's token"));
  const jwt = await readSecret(login.tokenFile, "the service account's token");
  const { auth } = await link.http.json(loginAnswer, { method: "POST", path: `/v1/auth/${login.mount}/login`, json: { role: login.role, jwt }, headers: namespaced(namespace), signal });
  return withToken(link, auth.client_token);
}

/** Asks as whoever has logged in. */
export const ask = <T>(link: VaultLink, schema: z.ZodType<T>, request: HttpRequest): Promise<T> => link.http.json(schema, { ...request, headers: { ...link.as, ...request.headers } });

const healthAnswer = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean(),
  server_time_utc: z.number(),
  version: z.string(),
  cluster_name: z.string().optional(),
  cluster_id: z.string().optional(),
});

export interface VaultHealth {
  readonly state: "active" | "standby" | "sealed" | "not initialised";
  /** By the server's clock; whole seconds. */
  readonly time: Date;
  readonly version: string;
  readonly clusterName: string | undefined;
  readonly clusterId: string | undefined;
}

/** What `sys/health` answers with, besides 200: each is a state and no error. */
const healthStatuses = [429, 472, 473, 501, 503];

export async function healthOf({ http }: VaultLink, signal: AbortSignal): Promise<VaultHealth> {
  const found = await http.json(healthAnswer, { path: "/v1/sys/health", accept: healthStatuses, deadline: 10, signal });
  const state = !found.initialized ? "not initialised" : found.sealed ? "sealed" : found.standby ? "standby" : "active";
  return { state, time: new Date(found.server_time_utc * 1_000), version: found.version, clusterName: found.cluster_name, clusterId: found.cluster_id };
}

const sealAnswer = z.object({ type: z.string(), initialized: z.boolean(), sealed: z.boolean(), t: z.number(), n: z.number(), storage_type: z.string().optional() });

export type SealStatus = z.infer<typeof sealAnswer>;

/** `t` of `n` keys unseal it; for an auto-unsealed server these are its recovery keys' figures. */
export const sealStatusOf = ({ http }: VaultLink, signal: AbortSignal): Promise<SealStatus> => http.json(sealAnswer, { path: "/v1/sys/seal-status", deadline: 10, signal });

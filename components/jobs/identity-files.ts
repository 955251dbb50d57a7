/** What of other servers' secrets stands in an identity's pod, as files: authorities, tokens, addresses. */
import { basename } from "node:path/posix";
import type { types } from "@pulumi/kubernetes";
import { objectsCredentialsFile, objectsFolder, readsObjects, redisTlsFolder, vaultTlsFolder, vaultTokenFolder, vectorsTlsFolder } from "../../plan/config/dr-json.ts";
import { notificationsFolder, tellsPeople, webhookFile } from "../../plan/config/dr-notifications.ts";
import { rolesOf, serversOf } from "../../plan/identity-needs.ts";
import type { IdentityName } from "../../plan/identities.ts";
import { redisName, tlsSecret, vaultName, vectorsName } from "../../plan/servers.ts";
import type { Others, RegionServers, SecretKey } from "./reach.ts";

export interface MountedVolume {
  readonly volume: types.input.core.v1.Volume;
  readonly mount: types.input.core.v1.VolumeMount;
}

/** One key of a secret as one file, and nothing else of it. */
const oneFile = (name: string, { secret, key }: SecretKey, folder: string, path: string, { optional = false } = {}): MountedVolume => ({
  volume: { name, secret: { secretName: secret, defaultMode: 0o440, items: [{ key, path }], ...(optional ? { optional } : {}) } },
  mount: { name, mountPath: folder, readOnly: true },
});
/** Of the servers' certificate the authority alone: its key is the servers'. */
const authority = (name: string, secret: string, folder: string): MountedVolume => oneFile(name, { secret, key: "ca.crt" }, folder, "ca.crt");

export function redisTls(identity: IdentityName) {
  if (rolesOf(identity).redis === undefined) return [];
  return [authority("redis-tls", tlsSecret(redisName("production")), redisTlsFolder)];
}

/** The account's token for Vault alone, and the authority of Vault's certificate. */
export function vaultFiles(identity: IdentityName, { vault }: Partial<RegionServers>) {
  if (vault === undefined || !serversOf(identity).includes("vault")) return [];
  const token = { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } };
  return [
    { volume: { name: "vault-token", projected: { sources: [token], defaultMode: 0o440 } }, mount: { name: "vault-token", mountPath: vaultTokenFolder, readOnly: true } },
    authority("vault-tls", tlsSecret(vaultName("production")), vaultTlsFolder),
  ];
}

/** Of Qdrant's certificate; Pinecone's is the public's. */
export function vectorsTls(identity: IdentityName, { vectors }: Partial<RegionServers>) {
  if (vectors?.kind !== "qdrant" || !serversOf(identity).includes("vectors")) return [];
  return [authority("vectors-tls", tlsSecret(vectorsName("production")), vectorsTlsFolder)];
}

/** Made by people, and so perhaps not there: a backup must not wait for whom to tell of it, nor the daily one for objects. */
const perhaps = { optional: true };

/** What opens the services' bucket, and the address of the webhook. */
export function othersFiles(identity: IdentityName, { objects, notifications }: Others) {
  const webhook = tellsPeople(identity) ? notifications?.webhook : undefined;
  return [
    ...(objects === undefined || !readsObjects(identity) ? [] : [oneFile("objects-credentials", objects.credentials, objectsFolder, basename(objectsCredentialsFile), perhaps)]),
    ...(webhook === undefined ? [] : [oneFile("webhook", webhook, notificationsFolder, basename(webhookFile), perhaps)]),
  ];
}

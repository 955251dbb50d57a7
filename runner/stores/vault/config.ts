import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const httpsUrl = z.url({ protocol: /^https?$/ });

const server = z.strictObject({
  /** `https://host:port`: whichever server of the region is ready. */
  address: httpsUrl,
  /** The authority of the servers' certificate. Default: the system's. */
  caFile: absolutePath.optional(),
  /** Sent as `X-Vault-Namespace`. Raft snapshots are the root namespace's: this is for a login that lives elsewhere. */
  namespace: z.string().min(1).optional(),
  login: z.discriminatedUnion("method", [
    /** The file holds a token and nothing else. */
    z.strictObject({ method: z.literal("token"), tokenFile: absolutePath }),
    /** By the token that Kubernetes makes for the pod's service account, read anew by each run. */
    z.strictObject({ method: z.literal("kubernetes"), role: z.string().min(1), mount: z.string().min(1).default("kubernetes"), tokenFile: absolutePath }),
  ]),
});

const plugin = z.strictObject({ directory: absolutePath, command: z.string().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
/** Of an auto-unsealed server, one a line: with enough of them a verification can make itself a token of its own. */
const recoveryKeysFile = absolutePath.optional();

/**
 * What opens a snapshot (facts F10): without it the snapshot is only ciphertext, which a verification says before a
 * disaster does. Keys stand in files; a cloud's key is used with the credentials that the environment names.
 */
const seal = z.discriminatedUnion("type", [
  /** Unseal keys, as many as the threshold asks for, one a line, base64 or hexadecimal. */
  z.strictObject({ type: z.literal("shamir"), keysFile: absolutePath }),
  /** 32 bytes, as they are, in base64 or in hexadecimal. */
  z.strictObject({ type: z.literal("static"), keyId: z.string().min(1), keyFile: absolutePath, recoveryKeysFile }),
  /** The key of another Vault's transit engine. */
  z.strictObject({ type: z.literal("transit"), address: httpsUrl, caFile: absolutePath.optional(), tokenFile: absolutePath, mount: z.string().min(1).default("transit"), key: z.string().min(1), recoveryKeysFile }),
  /** `key`: its id, ARN or alias. `plugin`: OpenBao 2.7 and later have this seal as one. */
  z.strictObject({ type: z.literal("awskms"), region: z.string().min(1), key: z.string().min(1), endpoint: httpsUrl.optional(), credentialsFile: absolutePath.optional(), plugin: plugin.optional(), recoveryKeysFile }),
]);

export const vaultConfigSchema = z.strictObject({
  /** Absent where nothing of production is spoken to: a verification. */
  server: server.optional(),
  /** What the servers are sealed by; a verification opens each snapshot with it. */
  seal: seal.optional(),
  /** A folder on a disk of this machine, made where it is missing, where each snapshot is kept encrypted for as long as
   * the plan keeps one (M3). Absent: the backends alone hold them. */
  localCopies: absolutePath.optional(),
  /** Path of a secret that a verification and a recovery read, e.g. `secret/data/dr/canary`. */
  canary: z.string().min(1).optional(),
});

export type VaultConfig = z.infer<typeof vaultConfigSchema>;
export type VaultServerConfig = NonNullable<VaultConfig["server"]>;
export type SealConfig = NonNullable<VaultConfig["seal"]>;

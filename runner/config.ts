import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { z } from "zod";
import { hostDataDirectory, hostPgbackrestConf } from "../plan/config/pgbackrest.ts";
import { ports } from "../plan/servers.ts";
import { archiveConfigSchema } from "./archive/config.ts";
import { DrError, messageOf } from "./errors.ts";
import { fullRecoveryConfigSchema } from "./recovery/full/config.ts";
import { notificationsConfigSchema } from "./notify/config.ts";
import { configurationConfigSchema } from "./stores/configuration/config.ts";
import { metricsConfigSchema } from "./stores/metrics/config.ts";
import { vaultConfigSchema } from "./stores/vault/config.ts";
import { vectorsConfigSchema } from "./stores/vectors/config.ts";
import { objectsConfigSchema } from "./stores/objects/config.ts";

/**
 * The one file that a run is given: where the stores and the backends are, and in which files their secrets stand.
 * No secret stands in it. Jobs in the cluster, people and the drill all use this schema.
 */
const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and hyphens");

const pgbackrestRepository = z.strictObject({
  /** The folder of the repository inside the backend, e.g. `/pgbackrest`. */
  path: z.string().startsWith("/"),
  /** Holds the passphrase of the repository (aes-256-cbc) and nothing else. */
  cipherPassFile: absolutePath,
});

const s3Backend = z.strictObject({
  kind: z.literal("s3"),
  name,
  /** `host:port` or a host; TLS always. */
  endpoint: z.string().min(1),
  region: z.string().min(1),
  bucket: z.string().min(3),
  /** A bucket of its own for what is kept for less than the bucket's lock, which holds whatever is in it; only what is
   * under these prefixes may lie there. Absent: all is in one bucket. */
  shortLived: z.strictObject({ bucket: z.string().min(3), prefixes: z.array(z.string().endsWith("/")).min(1) }).optional(),
  /** Inside the bucket, without slashes at its ends. Default: none. */
  prefix: z.string().default(""),
  /** Authorities that sign the endpoint's certificate; default: the system's. */
  caFile: absolutePath.optional(),
  /** AWS's shared credentials format, profile `default`. Absent: the pod's own role, by the web identity of its service
   * account (`AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`, as EKS sets them). */
  credentialsFile: absolutePath.optional(),
  /** Bytes that the operator pays for or allows; free space is this less what is used. */
  quotaBytes: z.number().positive().optional(),
  pgbackrest: pgbackrestRepository.optional(),
});

const folderBackend = z.strictObject({
  kind: z.literal("folder"),
  name,
  path: absolutePath,
  pgbackrest: pgbackrestRepository.optional(),
});

const pgbackrestServer = z.strictObject({
  /** One of the names in the server's certificate; an address will not do. */
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(ports.postgres.pgbackrest),
  /** The authority of the server's certificate. */
  caFile: absolutePath,
  /** Our own; its common name is what the server knows us by. */
  certFile: absolutePath,
  /** Ours or root's alone. */
  keyFile: absolutePath,
  /** pgbackrest.conf, and the folder of the data, on the database's host. */
  configFile: absolutePath.default(hostPgbackrestConf),
  dataDirectory: absolutePath.default(hostDataDirectory),
});

const postgres = z.strictObject({
  stanza: name.default("main"),
  /** Folder of production's data, on the database's own host: nothing is ever restored into it. Absent elsewhere. */
  dataDirectory: absolutePath.optional(),
  /** pgBackRest's TLS server beside the leader, where this is not the database's own host. */
  pgbackrestServer: pgbackrestServer.optional(),
  /** A host name, or the folder of the Unix socket. */
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  user: z.string().min(1).default("postgres"),
  database: z.string().min(1).default("postgres"),
  passwordFile: absolutePath.optional(),
  /** The authority of the server's certificate. With it the connection is encrypted, and `host` must be one of the
   * certificate's names; without, nothing is encrypted, which is for a Unix socket. */
  caFile: absolutePath.optional(),
  /** Folder of PostgreSQL's programs; default: the newest installed. */
  binDirectory: absolutePath.optional(),
});

const port = z.int().min(1).max(65_535);
const redis = z.strictObject({
  /** Where it is reached: a Unix socket, or a host with its port. */
  socket: absolutePath.optional(),
  host: z.string().optional(),
  port: port.default(ports.redis),
  /** Instead, every server of the region: whichever of them is the primary when it is asked is worked with. */
  servers: z.array(z.strictObject({ host: z.string().min(1), port: port.default(ports.redis) })).min(1).optional(),
  user: z.string().default("default"),
  passwordFile: absolutePath.optional(),
  /** The authority of the server's certificate. With it the connection is encrypted, and `host` must be one of the
   * certificate's names; without, nothing is encrypted, which is for a socket. */
  caFile: absolutePath.optional(),
  /** Who reads and writes the agents' keys, where `user` may only take snapshots (the shipped roles part the two). */
  agents: z.strictObject({ user: z.string().min(1), passwordFile: absolutePath.optional() }).optional(),
}).refine(({ servers, socket, host }) => servers === undefined || (socket === undefined && host === undefined), "names `servers`, and a socket or a host besides; one of them says where Redis is");

export const runnerConfigSchema = z.strictObject({
  /** The plan by name; `blackroad` is the shipped one. */
  plan: z.literal("blackroad").default("blackroad"),
  /** Intervals are divided by this in a drill; 1 in production. */
  intervalScale: z.number().min(1).default(1),
  /** Where locks, spools and temporary files go; made if missing. */
  workDirectory: absolutePath,
  /** Where pgBackRest's archiver spools; shared with the database server. Default: inside the work directory. */
  spoolDirectory: absolutePath.optional(),
  /** Who runs PostgreSQL's programs when we are root. */
  databaseUser: z.string().default("postgres"),
  /** The passphrase of everything outside pgBackRest; the file holds it and nothing else (one line). */
  passphraseFile: absolutePath,
  /** In the order of the plan: pgBackRest numbers its repositories by it. */
  backends: z.array(z.discriminatedUnion("kind", [s3Backend, folderBackend])).min(1),
  postgres: postgres.optional(),
  redis: redis.optional(),
  vault: vaultConfigSchema.optional(),
  vectors: vectorsConfigSchema.optional(),
  metrics: metricsConfigSchema.optional(),
  configuration: configurationConfigSchema.optional(),
  archive: archiveConfigSchema.optional(),
  /** The bucket of the services' objects, where this configuration copies them. */
  objects: objectsConfigSchema.optional(),
  /** What `dr recover full` does beside the stores. */
  recover: fullRecoveryConfigSchema.optional(),
  /** Who is told of failed backups. */
  notifications: notificationsConfigSchema.optional(),
  /** Set where the credentials can only read: a drill, a recovery. Whatever would write then refuses at once. */
  readOnly: z.boolean().default(false),
});

export type RunnerConfig = z.infer<typeof runnerConfigSchema>;
export type BackendConfig = RunnerConfig["backends"][number];
export type S3BackendConfig = Extract<BackendConfig, { kind: "s3" }>;
export type FolderBackendConfig = Extract<BackendConfig, { kind: "folder" }>;
export type PostgresConfig = NonNullable<RunnerConfig["postgres"]>;
export type RedisConfig = NonNullable<RunnerConfig["redis"]>;

export function parseConfig(value: unknown, where: string): RunnerConfig {
  const parsed = runnerConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new DrError({ kind: "usage", what: `the configuration has ${problems.length} error${problems.length === 1 ? "" : "s"}: ${problems.join("; ")}`, where, todo: "Correct these fields; README.md shows a whole file." });
}

export async function readConfig(path: string): Promise<RunnerConfig> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new DrError({ kind: "usage", what: `the configuration cannot be read: ${messageOf(cause)}`, where: path, todo: "Name a JSON file with --config.", cause });
  }
  return parseConfig(value, path);
}

/** The content of a secret's file, without the line's end. */
export async function readSecret(path: string, what: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `${what} cannot be read: ${messageOf(cause)}`, where: path, todo: "Mount the secret there, readable by the user that runs dr.", cause });
  });
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new DrError({ kind: "unavailable", what: `${what} is empty`, where: path, todo: "Write the secret into the file." });
  return secret;
}

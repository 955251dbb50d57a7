import { join } from "node:path";
import type { Plan } from "../../../plan/types.ts";
import type { RedisRole } from "../../../plan/config/redis.ts";
import { parseConfig, type RunnerConfig } from "../../../runner/config.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import type { OsUser } from "../../../runner/system/process.ts";
import { spoolOf, stanza } from "./archiver.ts";
import { databaseName } from "./database.ts";
import { type Layout, type Member, type StoreBackendName } from "./layout.ts";
import { writeSecrets, type SecretFiles, type Secrets } from "./secrets.ts";
import { backendConfigs, type ObjectStores } from "./stores.ts";

export interface ConfigurationInput {
  readonly layout: Layout;
  readonly plan: Plan;
  readonly stores: ObjectStores;
  readonly user: OsUser | undefined;
}

type Given = Omit<RunnerConfig, "plan" | "intervalScale" | "databaseUser" | "readOnly"> & { readonly readOnly?: boolean };

async function writeConfig(path: string, plan: Plan, user: OsUser | undefined, config: Given): Promise<string> {
  const whole = parseConfig({ ...config, plan: plan.name, intervalScale: plan.intervalScale, ...(user === undefined ? {} : { databaseUser: user.name }) }, path);
  await writeDurably(path, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o640, owner: user });
  return path;
}

/** Writes `dr.json` of a member's host: what the jobs there are given in production, with credentials that write. */
export async function writeProductionConfig({ layout, plan, stores, user }: ConfigurationInput, member: Member, secrets: SecretFiles, redisUser: RedisRole): Promise<string> {
  const region = layout.regions[member.region];
  const redis = layout.redis.find((one) => one.region === member.region);
  const name = `dr-${member.name}${redisUser === "backup" ? "" : `-${redisUser}`}`;
  return writeConfig(join(region, `${name}.json`), plan, user, {
    workDirectory: await makeFolder(join(region, "work", member.name), { mode: 0o711, owner: user }),
    spoolDirectory: spoolOf(member),
    passphraseFile: secrets.passphrase,
    backends: await backendConfigs(stores, "writer", secrets, join(region, "secrets")),
    postgres: { stanza, dataDirectory: member.dataDirectory, host: member.socketDirectory, port: member.postgresPort, user: "postgres", database: databaseName },
    ...(redis === undefined ? {} : { redis: { socket: redis.socket, port: redis.port, user: redisUser, passwordFile: secrets.redis[redisUser], agents: { user: "recovery", passwordFile: secrets.redis.recovery } } }),
  });
}

export interface RecoveryPlace {
  /** `dr.json` of the recovery. */
  readonly config: string;
  readonly folder: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly postgresPort: number;
  readonly redisFolder: string;
  readonly redisSocket: string;
  readonly redisPort: number;
}

/**
 * Writes the configuration of a recovery: credentials that only read, copies of the passphrases in a folder of its
 * own, a work directory of its own, nothing of production. `name` tells several recoveries of one drill apart.
 */
export async function writeRecoveryConfig({ layout, plan, stores, user }: ConfigurationInput, secrets: Secrets, backends: readonly StoreBackendName[], name: string): Promise<RecoveryPlace> {
  const parent = await makeFolder(layout.recovery.folder, { mode: 0o711, owner: user });
  const folder = await makeFolder(join(parent, name), { mode: 0o711, owner: user });
  const own = (part: string) => makeFolder(join(folder, part), { owner: user });
  const secretsFolder = await own("secrets");
  const files = await writeSecrets(secrets, secretsFolder, user);
  const postgres = await own("postgres");
  const socketDirectory = await own("postgres/run");
  const redisFolder = await own("redis");
  const redisSocket = join(redisFolder, "redis.sock");
  const dataDirectory = join(postgres, "data");
  const { postgresPort, redisPort } = layout.recovery;
  const config = await writeConfig(join(folder, "dr.json"), plan, user, {
    workDirectory: await makeFolder(join(folder, "work"), { mode: 0o711, owner: user }),
    passphraseFile: files.passphrase,
    backends: await backendConfigs(stores, "reader", files, secretsFolder, backends),
    postgres: { stanza, host: socketDirectory, port: postgresPort, user: "postgres", database: databaseName },
    redis: { socket: redisSocket, port: redisPort, user: "default" },
    readOnly: true,
  });
  return { config, folder, dataDirectory, socketDirectory, postgresPort, redisFolder, redisSocket, redisPort };
}

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { redisRoles, type RedisRole } from "../../../plan/config/redis.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import type { OsUser } from "../../../runner/system/process.ts";
import type { StoreBackendName } from "./layout.ts";

/** Every secret of a drill's production, new for each drill. They stand in files, and go with the drill's folder. */
export interface Secrets {
  readonly superuser: string;
  readonly replication: string;
  readonly rest: string;
  /** The services' role in PostgreSQL. */
  readonly app: string;
  readonly redis: Readonly<Record<RedisRole, string>>;
  /** Of pgBackRest's repositories. */
  readonly cipher: Readonly<Record<StoreBackendName, string>>;
  /** Of everything outside pgBackRest. */
  readonly passphrase: string;
}

const secret = (): string => randomBytes(24).toString("base64url");

/** The same for each of Redis's users. */
const ofRoles = <T>(value: (role: RedisRole) => T): Record<RedisRole, T> => ({ app: value("app"), replica: value("replica"), backup: value("backup"), recovery: value("recovery"), sentinel: value("sentinel"), monitoring: value("monitoring") });

export const makeSecrets = (): Secrets => ({ superuser: secret(), replication: secret(), rest: secret(), app: secret(), passphrase: secret(), redis: ofRoles(secret), cipher: { r2: secret(), s3: secret() } });

export interface SecretFiles {
  readonly app: string;
  readonly passphrase: string;
  readonly redis: Readonly<Record<RedisRole, string>>;
  readonly cipher: Readonly<Record<StoreBackendName, string>>;
}

/** Writes a set of copies into `folder`, one secret a file, 0600. Each region and the recovery has a set of its own. */
export async function writeSecrets(secrets: Secrets, folder: string, owner?: OsUser): Promise<SecretFiles> {
  await makeFolder(folder, { owner });
  const write = async (name: string, value: string): Promise<string> => {
    const path = join(folder, name);
    await writeDurably(path, `${value}\n`, { mode: 0o600, owner });
    return path;
  };
  const name = (role: RedisRole) => `redis-${role}`;
  for (const role of redisRoles) await write(name(role), secrets.redis[role]);
  return {
    app: await write("postgres-app", secrets.app),
    passphrase: await write("passphrase", secrets.passphrase),
    redis: ofRoles((role) => join(folder, name(role))),
    cipher: { r2: await write("cipher-r2", secrets.cipher.r2), s3: await write("cipher-s3", secrets.cipher.s3) },
  };
}

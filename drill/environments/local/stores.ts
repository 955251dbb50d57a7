import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plan } from "../../../plan/types.ts";
import type { BackendConfig } from "../../../runner/config.ts";
import { DrError } from "../../../runner/errors.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import type { OsUser } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { issue, makeAuthority, type Authority } from "../certificates.ts";
import { startS3Server } from "../servers/s3.ts";
import { storeBackendNames, type Layout, type StoreBackendName } from "./layout.ts";
import type { SecretFiles } from "./secrets.ts";
import { together } from "./together.ts";

/** A store of the drill's production, which stands for one of the plan's backends. */
export interface ObjectStore {
  readonly name: StoreBackendName;
  readonly kind: "s3" | "folder";
  /** 0 for a folder. */
  readonly port: number;
  /** The files of the bucket, for a fault that flips a byte in one. */
  readonly dataFolder: string;
  /**
   * The backend of a configuration. `copyTo` is the folder that takes a copy of the credentials: a region's own, or
   * the recovery's.
   */
  config(rights: "writer" | "reader", cipherPassFile: string, copyTo: string): Promise<BackendConfig>;
  /** The store is gone: killed, and its data deleted by the caller. Nothing happens to a folder. */
  kill(): Promise<void>;
}

export interface ObjectStores {
  readonly r2: ObjectStore;
  readonly s3: ObjectStore;
  /** Set where they are only folders: why. */
  readonly skipped: { readonly what: string; readonly why: string } | undefined;
}

/** Inside each bucket or folder. */
export const repositoryPath = "/pgbackrest";

const bucketOf = (plan: Plan, name: StoreBackendName): { readonly bucket: string; readonly region: string } => {
  const backend = plan.backends.find((one) => one.name === name);
  if (backend === undefined) throw new DrError({ kind: "usage", what: `the plan has no backend ${name}`, where: plan.name, todo: "A local drill plays the backends r2 and s3." });
  return backend;
};

/** Two S3 servers over TLS, each with its own accounts; folders where this machine has no S3 server. */
export async function startStores(layout: Layout, plan: Plan, user: OsUser | undefined, wanted: "s3" | "folders"): Promise<ObjectStores> {
  const available = wanted === "s3" && (await lookUpProgram("versitygw")) !== undefined;
  if (!available) {
    const why = wanted === "s3" ? "the S3 server versitygw is not on this machine: `npm run setup` installs it where Go is" : "folders were asked for";
    const [r2, s3] = await Promise.all(storeBackendNames.map((name) => folderStore(name, layout, user)));
    if (r2 === undefined || s3 === undefined) throw new RangeError("a drill has two stores");
    return { r2, s3, skipped: { what: "the two object stores as S3 servers over TLS; they are folders, whose credentials cannot be refused", why } };
  }
  const authority = await makeAuthority(layout.tls);
  const [r2, s3] = [s3Store("r2", layout, plan, authority), s3Store("s3", layout, plan, authority)];
  await together([r2, s3]);
  return { r2: await r2, s3: await s3, skipped: undefined };
}

async function folderStore(name: StoreBackendName, layout: Layout, user: OsUser | undefined): Promise<ObjectStore> {
  const dataFolder = await makeFolder(layout.stores[name].folder, { owner: user });
  return { name, kind: "folder", port: 0, dataFolder, config: (_, cipherPassFile) => Promise.resolve({ kind: "folder", name, path: dataFolder, pgbackrest: { path: repositoryPath, cipherPassFile } }), kill: () => Promise.resolve() };
}

/** The servers run as whoever runs the drill: a store is somebody else's machine, and the program may lie in his home. */
async function s3Store(name: StoreBackendName, layout: Layout, plan: Plan, authority: Authority): Promise<ObjectStore> {
  const certificate = await issue(authority, { name, hosts: ["localhost", "127.0.0.1"] });
  const { bucket, region } = bucketOf(plan, name);
  const { folder, port } = layout.stores[name];
  const server = await startS3Server({ folder, port, certificate, bucket, region, logFile: join(layout.logs, `${name}.log`) });
  return {
    name,
    kind: "s3",
    port,
    dataFolder: server.dataFolder,
    config: async (rights, cipherPassFile, copyTo) => ({
      kind: "s3",
      name,
      endpoint: rights === "writer" ? server.endpoint : server.readerEndpoint,
      region,
      bucket,
      prefix: "",
      caFile: await copied(server.caFile, join(copyTo, "ca.crt")),
      credentialsFile: await copied(rights === "writer" ? server.writerCredentialsFile : server.readerCredentialsFile, join(copyTo, `${name}.credentials`)),
      pgbackrest: { path: repositoryPath, cipherPassFile },
    }),
    kill: () => server.kill(),
  };
}

async function copied(from: string, to: string): Promise<string> {
  await copyFile(from, to);
  return to;
}

/** The secrets of one place and the backends that its configuration names. */
export const backendConfigs = (stores: ObjectStores, rights: "writer" | "reader", secrets: SecretFiles, copyTo: string, names: readonly StoreBackendName[] = storeBackendNames): Promise<BackendConfig[]> =>
  Promise.all(names.map((name) => stores[name].config(rights, secrets.cipher[name], copyTo)));

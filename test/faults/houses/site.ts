import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Authority } from "../../../drill/environments/certificates.ts";
import type { S3Server } from "../../../drill/environments/servers/s3.ts";
import { openRun } from "../../../cli/open-run.ts";
import { parseConfig, type RunnerConfig, type S3BackendConfig } from "../../../runner/config.ts";
import type { RunContext } from "../../../runner/context.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { s3Config, Stores } from "../../harness/stores.ts";
import type { House, Job } from "../job.ts";

/** The S3 servers that all houses share, each with a prefix of its own. `kept` keeps versions, as S3's bucket does. */
export interface Site {
  readonly folder: string;
  readonly r2: S3Server;
  readonly s3: S3Server;
  readonly kept: S3Server;
  /** Signs their certificates. */
  readonly authority: Authority;
  /** Backups go into folders, where only a bucket's own ways are not what is tried: a fifth of the time. */
  readonly inFolders: boolean;
  close(): Promise<void>;
}

export async function openSite({ inFolders = false }: { readonly inFolders?: boolean } = {}): Promise<Site> {
  const stores = await Stores.open();
  try {
    await chmod(stores.folder, 0o711); // pgBackRest reads the authority as PostgreSQL's user
    const [r2, s3, kept] = await Promise.all([stores.s3("r2"), stores.s3("s3"), stores.s3("kept", { versioned: true })]);
    return { folder: stores.folder, authority: stores.authority, inFolders, r2, s3, kept, close: () => stores.close() };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** The two buckets of a house. */
export const bucketsOf = ({ r2, s3 }: Site, prefix: string): readonly [S3BackendConfig, S3BackendConfig] => [s3Config(r2, { name: "r2", prefix }), s3Config(s3, { name: "s3", prefix })];

/** The two backends of a house: its buckets, or two folders where the site's houses have those. */
export async function backendsOf(site: Site, house: string): Promise<RunnerConfig["backends"]> {
  if (!site.inFolders) return [...bucketsOf(site, house)];
  return Promise.all(["r2", "s3"].map(async (name) => ({ kind: "folder" as const, name, path: await makeFolder(join(site.folder, "folders", house, name), { mode: 0o755 }) })));
}

export interface HouseParts {
  readonly name: string;
  readonly config: Partial<RunnerConfig>;
  readonly jobs: (context: RunContext, folder: string) => Promise<readonly Job[]> | readonly Job[];
  /** Done when the house is closed, the last first. */
  readonly undo?: (() => unknown)[];
}

/** A configuration file as an operator writes it, and the run that it describes. */
export async function openHouse(site: Site, { name, config, jobs, undo = [] }: HouseParts): Promise<House> {
  const folder = await makeFolder(join(site.folder, "houses", name), { mode: 0o711 });
  await chmod(join(site.folder, "houses"), 0o711);
  const passphraseFile = join(folder, "passphrase");
  const configFile = join(folder, "dr.json");
  const close = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    await writeDurably(passphraseFile, "correct horse battery staple\n", { mode: 0o600 });
    const whole = parseConfig({ plan: "blackroad", workDirectory: join(folder, "work"), passphraseFile, backends: config.backends ?? (await backendsOf(site, name)), ...config }, name);
    await writeDurably(configFile, JSON.stringify(whole));
    const context = await openRun(configFile, new AbortController().signal, () => undefined);
    undo.unshift(() => context.backends.forEach((backend) => backend.close()));
    return { name, configFile, context, jobs: await jobs(context, folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}

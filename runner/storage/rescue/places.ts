import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { S3BackendConfig } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import type { OsUser } from "../../system/process.ts";
import { databaseUser } from "../../system/user.ts";
import { openBucketTarget, openFolderTarget, type RescueTarget } from "./target.ts";

/** A backend of the configuration by its name, or a folder. */
export type RescueDestination = { readonly backend: string } | { readonly folder: string };

export type TargetPlace =
  | { readonly kind: "s3"; readonly uri: string; readonly config: S3BackendConfig }
  | { readonly kind: "folder"; readonly uri: string; readonly path: string; readonly repository: string | undefined };

const usage = (what: string, where: string, todo: string): DrError => new DrError({ kind: "usage", what, where, todo });

export function sourceConfig({ config, clock }: RunContext, name: string, at: Date): S3BackendConfig {
  if (at.getTime() > clock.now().getTime()) throw usage(`the time ${at.toISOString()} is in the future`, "--at", "Name the moment before the first misuse.");
  const found = config.backends.find((backend) => backend.name === name);
  if (found === undefined) throw usage(`the configuration has no backend ${name}`, "--backend", `Name one of: ${config.backends.map((backend) => backend.name).join(", ")}.`);
  if (found.kind === "s3") return found;
  throw usage(`the backend ${name} is a folder, which keeps no older versions`, found.path, "Copy the folder as it is.");
}

export function targetConfig({ config }: RunContext, source: S3BackendConfig, to: RescueDestination): TargetPlace {
  if ("folder" in to) return { kind: "folder", path: resolve(to.folder), uri: pathToFileURL(resolve(to.folder)).href, repository: source.pgbackrest?.path };
  const found = config.backends.find((backend) => backend.name === to.backend);
  if (found === undefined) throw usage(`the configuration has no backend ${to.backend}`, "--to", `Add the clean bucket to \`backends\`, or name a folder with --into. There are: ${config.backends.map((backend) => backend.name).join(", ")}.`);
  if (found.kind === "folder") return { kind: "folder", path: found.path, uri: pathToFileURL(found.path).href, repository: source.pgbackrest?.path };
  const buckets = [source.bucket, ...(source.shortLived === undefined ? [] : [source.shortLived.bucket])];
  if (found.endpoint === source.endpoint && buckets.includes(found.bucket)) throw new DrError({ kind: "refused", what: `the backend ${to.backend} is in the bucket that is to be rescued`, where: `s3://${found.bucket}`, todo: "Make a bucket that the stolen credentials do not reach." });
  return { kind: "s3", config: found, uri: `s3://${found.bucket}/${found.prefix}` };
}

/** pgBackRest's repository is read by the database's user, where we are root and there is one. */
export const openTarget = async ({ config }: RunContext, target: TargetPlace): Promise<RescueTarget> => {
  if (target.kind === "s3") return openBucketTarget(target.config);
  const owner = ownerFor(config.databaseUser);
  return openFolderTarget({ name: "rescued", path: target.path, ...(target.repository === undefined || owner === undefined ? {} : { repository: { folder: target.repository, owner } }) });
};

function ownerFor(name: string): OsUser | undefined {
  try {
    return databaseUser(name);
  } catch (error) {
    if (error instanceof DrError && error.kind === "unavailable") return undefined; // the folder goes to another machine
    throw error;
  }
}

/** Whether one account reaches both: then the store copies by itself, and nothing goes through this machine. */
export const sameStore = (one: S3BackendConfig, other: S3BackendConfig): boolean => one.endpoint === other.endpoint && one.region === other.region && one.credentialsFile === other.credentialsFile;

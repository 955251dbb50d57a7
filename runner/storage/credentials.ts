import type { S3Access } from "../../plan/config/pgbackrest.ts";
import { DrError } from "../errors.ts";
import { basename, dirname } from "node:path";
import { secretKey } from "../../plan/names.ts";
import { readSecret, type RunnerConfig } from "../config.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Reads AWS's shared credentials format, profile `default`; nothing of it stands in the environment. */
export async function readCredentials(path: string): Promise<Credentials> {
  const entries = profile(await readSecret(path, "the credentials file"), "default");
  const accessKeyId = entries.get("aws_access_key_id");
  const secretAccessKey = entries.get("aws_secret_access_key");
  const sessionToken = entries.get("aws_session_token");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new DrError({
      kind: "unavailable",
      what: `the credentials file has no ${accessKeyId === undefined ? "aws_access_key_id" : "aws_secret_access_key"} in its profile [default]`,
      where: path,
      todo: "Write AWS's shared credentials format: a line `[default]`, then `aws_access_key_id = …` and `aws_secret_access_key = …`.",
    });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** How pgBackRest gets at an S3 repository: with the file's key, or as the pod's own role where there is no file. */
export async function s3Access(credentialsFile: string | undefined): Promise<S3Access> {
  if (credentialsFile === undefined) return { kind: "web-identity" };
  const { accessKeyId, secretAccessKey, sessionToken } = await readCredentials(credentialsFile);
  return { kind: "key", key: accessKeyId, keySecret: secretAccessKey, ...(sessionToken === undefined ? {} : { token: sessionToken }) };
}

/**
 * When the backends' tokens expire, in ms, by the names of their secrets. A provider's token says so in its file, in a
 * line `expires_at = TIME` that tools which only want the key pass over; a role or a key of AWS expires by itself.
 */
export async function tokenExpiries({ backends }: Pick<RunnerConfig, "backends">): Promise<{ readonly token: string; readonly expiresAt: number }[]> {
  const files = [...new Set(backends.flatMap((backend) => (backend.kind === "s3" ? (backend.credentialsFile ?? []) : [])))];
  const found = await Promise.all(files.map(async (path) => ({ path, at: profile(await readSecret(path, "the credentials file"), "default").get("expires_at") })));
  return found.flatMap(({ path, at }) => (at === undefined || Number.isNaN(Date.parse(at)) ? [] : [{ token: secretName(path), expiresAt: Date.parse(at) }]));
}

/** A secret's file is its name's folder in a pod (`secretFile`); anywhere else the file is named. */
const secretName = (path: string): string => (basename(path) === secretKey ? basename(dirname(path)) : basename(path));

function profile(text: string, name: string): Map<string, string> {
  const entries = new Map<string, string>();
  let current = "";
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (section !== undefined) current = section;
    const entry = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/i.exec(line);
    if (current === name && entry?.[1] !== undefined && entry[2] !== undefined) entries.set(entry[1].toLowerCase(), entry[2]);
  }
  return entries;
}

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { BackupRecord } from "../../catalog/record.ts";
import { DrError } from "../../errors.ts";

export const store = "configuration";
export const kind = "snapshot";
export const schedule = "config-snapshot";
/** In the backup's folder, and what is in it. */
export const objectName = "configuration.tar.gz.pgp";
export const folders = { repositories: "git", manifests: "kubernetes", states: "pulumi" } as const;

const repository = z.object({
  /** Of its refs and what they point to: two bundles of the same refs differ in their bytes. */
  refs: z.string(),
  count: z.number(),
  /** Absent: the repository has no commit yet. */
  bundle: z.string().optional(),
});

/** What a record says of its content: enough to tell whether a copy is whole, and whether anything has changed since. */
export const contentsSchema = z.object({
  /** Of everything that is kept, however it is packed. */
  fingerprint: z.string(),
  /** SHA-256 by path in the archive. */
  files: z.record(z.string(), z.string()),
  repositories: z.record(z.string(), repository),
  /** Kubernetes' objects; absent where no cluster is configured. */
  objects: z.number().optional(),
});
export type Contents = z.infer<typeof contentsSchema>;
export type KeptRepository = z.infer<typeof repository>;

export function contentsOf({ id, details }: BackupRecord): Contents {
  const parsed = contentsSchema.safeParse(details);
  if (parsed.success) return parsed.data;
  throw new DrError({ kind: "failed", what: "the record does not say what it consists of", where: id, todo: "Choose another backup (`dr catalog list`)." });
}

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** SHA-256 of every file in a folder, by its path in it. */
export async function digestsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
  const digests: Record<string, string> = {};
  for (const path of paths) digests[path] = await sha256OfFile(join(folder, path));
  return digests;
}

/** Bytes of every file in a folder. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What is wrong with what came out of an archive, file by file; nothing where it is what was packed. */
export function differences(found: Readonly<Record<string, string>>, expected: Readonly<Record<string, string>>): readonly string[] {
  const missing = Object.keys(expected).filter((path) => found[path] === undefined).map((path) => `${path} is missing`);
  const changed = Object.entries(found).flatMap(([path, digest]) => (expected[path] === undefined ? [`${path} was never packed`] : expected[path] === digest ? [] : [`${path} has another content than when it was packed`]));
  return [...missing, ...changed];
}

/** The same for the same content: what bundles' bytes are is git's affair. */
export function fingerprintOf(parts: { readonly repositories: Readonly<Record<string, { readonly refs: string }>>; readonly files: Readonly<Record<string, string>> }): string {
  const lines = [
    ...Object.entries(parts.repositories).map(([name, { refs }]) => `git ${name} ${refs}`),
    ...Object.entries(parts.files).filter(([path]) => !path.startsWith(`${folders.repositories}/`)).map(([path, digest]) => `${digest} ${path}`),
  ];
  return sha256(lines.sort().join("\n"));
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { onlyObject } from "../../copies.ts";
import { fetchCopy } from "../../fetch-object.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder } from "../../system/files.ts";
import type { MeasuredWork, Verification, VerificationCheck } from "../../verification.ts";
import { inVerifyFolder, verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import { contentsOf, folders } from "./contents.ts";
import { cloneBundle, digestOf } from "./git.ts";
import { unpack } from "./recover.ts";
import { checkCheckpoint } from "./states.ts";

const manifestList = z.object({ kind: z.literal("List"), items: z.array(z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }) })) });
const secretNames = z.object({ known: z.enum(["listed", "referenced"]), names: z.record(z.string(), z.array(z.string())) });
/** Seconds for one command of git. */
const gitDeadline = 600;

/**
 * Verifies every copy: checksum, decryption, each file against the record, each repository cloned out of its bundle and
 * its refs compared, each manifest and each checkpoint read. No cluster takes the manifests here, and no `pulumi` the
 * states: that they would be taken is for a drill to show.
 */
export function verifyConfiguration(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => inVerifyFolder(context, (dir) => restoreAndRead(context, record, copy, dir)));
}

async function restoreAndRead(context: RunContext, record: BackupRecord, { backend, checks }: CopyOnTrial, dir: string): Promise<MeasuredWork> {
  const { signal } = context;
  const object = onlyObject(record);
  const unpacked = await makeFolder(join(dir, "files"));
  const archive = join(dir, "configuration.tar.gz");
  const downloading = performance.now();
  await fetchCopy(backend, object, await context.passphrase(), archive, signal);
  const downloadSeconds = secondsSince(downloading);
  await unpack(context, record, archive, unpacked);
  const { files, repositories } = contentsOf(record);
  const paths = Object.keys(files);
  checks.push({ name: "sha256 is the record's, the message decrypts, and every file is as it was packed", ok: true, detail: `${paths.length} files` });
  for (const [name, { bundle, refs, count }] of Object.entries(repositories)) {
    if (bundle === undefined) continue;
    const found = await cloneBundle(join(unpacked, bundle), join(dir, `${name}.git`), { deadline: gitDeadline, signal });
    checks.push({ name: `the repository ${name} can be cloned from its bundle, whole`, ok: digestOf(found) === refs, detail: `${found.size} of ${count} refs` });
  }
  const manifests = paths.filter((path) => path.startsWith(`${folders.manifests}/`));
  if (manifests.length > 0) checks.push(await manifestsReadable(unpacked, manifests));
  const states = paths.filter((path) => path.startsWith(`${folders.states}/`) && /\.json(\.gz)?$/.test(path));
  for (const path of states) checkCheckpoint(path, await readFile(join(unpacked, path)));
  if (states.length > 0) checks.push({ name: "Pulumi's checkpoints are readable (no `pulumi` has taken them)", ok: true, detail: `${states.length} stacks` });
  return { downloadBytes: object.bytes, downloadSeconds };
}

async function manifestsReadable(folder: string, paths: readonly string[]): Promise<VerificationCheck> {
  let objects = 0;
  for (const path of paths) {
    const value: unknown = JSON.parse(await readFile(join(folder, path), "utf8"));
    if (path === `${folders.manifests}/secrets.json`) secretNames.parse(value);
    else objects += manifestList.parse(value).items.length;
  }
  return { name: "the cluster's manifests are readable (no cluster has taken them)", ok: objects > 0, detail: `${objects} objects` };
}

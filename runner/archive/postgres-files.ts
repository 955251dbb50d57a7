/** pgBackRest's files of one full backup, and the WAL that makes it consistent: a repository that restores by itself. */
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import type { ListedObject, StorageBackend } from "../storage/backend.ts";
import { parseLsn, segmentName } from "../stores/postgres/lsn.ts";
import { guarded, type Avoided } from "./contents.ts";
import type { TarEntry } from "./tar.ts";

const segmentFile = /^([0-9A-F]{24})-[0-9a-f]{40}(?:\.[a-z0-9]+)?$/;
const infoFile = /\/(?:backup|archive)\.info(?:\.copy)?$/;

/**
 * The files, with their keys as pgBackRest has them, so that the unpacked archive is a repository: the backup, the two
 * `info` files (which name other backups as well, that are not there), and each segment from its start to its stop.
 */
export async function postgresFiles(context: RunContext, record: BackupRecord, avoided: Avoided): Promise<{ readonly entries: readonly TarEntry[]; readonly from: string } | { readonly why: string }> {
  const reasons: string[] = [];
  for (const copy of record.copies) {
    const backend = context.backends.find(({ name }) => name === copy.backend);
    const repository = context.config.backends.find(({ name }) => name === copy.backend)?.pgbackrest;
    if (copy.status !== "ok" || backend === undefined || repository === undefined || copy.label === undefined) {
      reasons.push(`${copy.backend}: ${copy.status === "failed" ? copy.error : "no repository here"}`);
      continue;
    }
    try {
      const files = await filesOf(context, backend, repository.path.replace(/^\/+|\/+$/g, ""), copy.label, { ...record.watermark, ...copy.watermark });
      const damaged = files.find(({ key }) => avoided.has(`${backend.name} ${key}`));
      if (damaged === undefined) return { from: backend.name, entries: files.map(({ key, bytes }) => ({ path: key, bytes, open: () => Promise.resolve(guarded(backend, key, avoided, () => backend.get(key, undefined, context.signal))) })) };
      reasons.push(`${backend.name}: ${damaged.key} could not be read`);
    } catch (error) {
      context.signal.throwIfAborted();
      reasons.push(`${backend.name}: ${messageOf(error)}`);
    }
  }
  return { why: `no repository has all of ${record.id}: ${reasons.join("; ")}` };
}

async function filesOf(context: RunContext, backend: StorageBackend, root: string, label: string, watermark: BackupRecord["watermark"]): Promise<readonly ListedObject[]> {
  const stanza = context.config.postgres?.stanza ?? "main";
  const backup = await listed(backend, `${root}/backup/${stanza}/`, (key) => key.startsWith(`${root}/backup/${stanza}/${label}/`) || infoFile.test(key));
  if (!backup.some(({ key }) => key.endsWith(`/${label}/backup.manifest`))) throw missing(backend, `${root}/backup/${stanza}/${label}`, "the backup has no manifest");
  const wanted = segmentsOf(context, watermark, backend.uri(root));
  const [first = "", last = ""] = [wanted[0], wanted.at(-1)];
  const archive = await listed(backend, `${root}/archive/${stanza}/`, (key) => {
    const name = key.split("/").at(-1) ?? "";
    const segment = segmentFile.exec(name)?.[1];
    return infoFile.test(key) || name.endsWith(".history") || (segment !== undefined && segment >= first && segment <= last);
  });
  const found = new Set(archive.map(({ key }) => segmentFile.exec(key.split("/").at(-1) ?? "")?.[1]));
  const absent = wanted.filter((segment) => !found.has(segment));
  if (absent.length > 0) throw missing(backend, `${root}/archive/${stanza}`, `WAL that the backup needs is missing: ${absent.slice(0, 3).join(", ")}${absent.length > 3 ? `, and ${absent.length - 3} more` : ""}`);
  return [...backup, ...archive];
}

async function listed(backend: StorageBackend, prefix: string, wanted: (key: string) => boolean): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  for await (const object of backend.list(prefix)) if (wanted(object.key)) found.push(object);
  return found;
}

/** Every segment from the backup's start to its stop. */
function segmentsOf({ plan }: RunContext, { startLsn, lsn, timeline }: BackupRecord["watermark"], where: string): readonly string[] {
  const [start, stop] = [parseLsn(startLsn ?? ""), parseLsn(lsn ?? "")];
  if (start === undefined || stop === undefined || timeline === undefined) throw new DrError({ kind: "failed", what: "the record does not say which WAL the backup needs", where, todo: "Take a new full backup." });
  const size = BigInt(plan.postgres.walSegment);
  const count = Number(stop / size - start / size) + 1;
  return Array.from({ length: count }, (_, index) => segmentName(timeline, (start / size + BigInt(index)) * size, Number(size)));
}

const missing = (backend: StorageBackend, key: string, what: string): DrError => new DrError({ kind: "failed", what, where: backend.uri(key), todo: "Another repository is tried; take a new full backup." });
